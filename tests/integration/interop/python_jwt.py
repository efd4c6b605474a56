# Tokens by PyJWT. sign ALG KEY.pem KID CLAIMS.json | verify ALG KEY.pem TOKEN
import json
import sys

import jwt

action, alg, key_file, third = sys.argv[1:5]
pem = open(key_file, "rb").read()
if action == "sign":
    print(jwt.encode(json.load(open(sys.argv[5])), pem, algorithm=alg, headers={"kid": third}))
else:
    token = open(third).read().strip()
    audience = jwt.decode(token, options={"verify_signature": False})["aud"]
    jwt.decode(token, pem, algorithms=[alg], audience=audience)
