// Tokens by Node's jose. sign ALG KEY.pem KID CLAIMS.json | verify ALG KEY.pem TOKEN
import { readFileSync } from 'node:fs';
import { SignJWT, compactVerify, importPKCS8, importSPKI } from 'jose';

const [action, alg, keyFile, third, fourth] = process.argv.slice(2);
const pem = readFileSync(keyFile, 'utf8');
if (action === 'sign') {
  const claims = JSON.parse(readFileSync(fourth, 'utf8'));
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg, kid: third, typ: 'application/approval+jwt' })
    .sign(await importPKCS8(pem, alg));
  console.log(token);
} else {
  const token = readFileSync(third, 'utf8').trim();
  await compactVerify(token, await importSPKI(pem, alg), { algorithms: [alg] });
}
