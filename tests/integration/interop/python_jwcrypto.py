# Tokens by Python's jwcrypto. sign ALG KEY.pem KID CLAIMS.json | verify ALG KEY.pem TOKEN
import json
import sys

from jwcrypto import jwk, jws

action, alg, key_file, third = sys.argv[1:5]
key = jwk.JWK.from_pem(open(key_file, "rb").read())
if action == "sign":
    made = jws.JWS(open(sys.argv[5], "rb").read())
    made.add_signature(key, alg, json.dumps({"alg": alg, "kid": third}))
    print(made.serialize(compact=True))
else:
    read = jws.JWS()
    read.allowed_algs = [alg]
    read.deserialize(open(third).read().strip())
    read.verify(key)
