// Checks a .tlog-proof file against a vkey with Node's own crypto, from the specifications alone:
// node check_proof.mjs FILE VKEY. Shares nothing with the code it checks.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const die = (why) => { console.error(why); process.exit(1); };

const [file, vkey] = process.argv.slice(2);
const [name, hash, ...keyText] = vkey.split("+");
const typed = Buffer.from(keyText.join("+"), "base64");
const id = sha256(Buffer.from(name + "\n"), typed).subarray(0, 4);
if (id.toString("hex") !== hash || typed[0] !== 1) die("vkey");

const text = readFileSync(file, "utf8");
const [head, body, signature] = text.split("\n\n");
const [version, extra, index, ...hashes] = head.split("\n");
if (version !== "c2sp.org/tlog-proof@v1") die("version");
const [origin, size, root] = body.split("\n");
const line = signature.trim().split(" ");
const blob = Buffer.from(line[2], "base64");
const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: typed.subarray(1).toString("base64url") }, format: "jwk" });
if (line[1] !== name || origin !== name || !blob.subarray(0, 4).equals(id)) die("signer");
if (!verify(null, Buffer.from(body + "\n"), key, blob.subarray(4))) die("signature");

const entry = Buffer.from(extra.split(" ")[1], "base64").toString();
const record = entry.replace(/,"hash":"[0-9a-f]{64}"\}$/, "}");
// RFC 6962 section 2.1.1, by the recursion of its definition, proof read from its end.
const proof = hashes.map((h) => Buffer.from(h, "base64"));
const climb = (m, n) => {
  if (n === 1) return sha256(Buffer.from([0]), Buffer.from(record));
  let k = 1;
  while (k * 2 < n) k *= 2;
  const beside = proof.pop() ?? die("too short");
  return m < k ? sha256(Buffer.from([1]), climb(m, k), beside)
               : sha256(Buffer.from([1]), beside, climb(m - k, n - k));
};
const found = climb(Number(index.split(" ")[1]), Number(size));
if (proof.length !== 0 || found.toString("base64") !== root) die("root");
console.log("ok");
