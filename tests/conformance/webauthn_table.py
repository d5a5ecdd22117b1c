# SPDX-License-Identifier: Apache-2.0
"""Vectors of "Web Authentication: An API for accessing Public Key Credentials, Level 3", section 16 (W3C, https://www.w3.org/TR/webauthn-3/, W3C Software
and Document License; Copyright © World Wide Web Consortium): challenges, attestation objects, authenticator data and signatures as printed there. Client
data are written from their parts as section 16.1 says; the signatures cover them."""
import json

from berth_jose import b64

RP_ID = "example.org"
ORIGIN = "https://example.org"
# Section 16.1: the two smallest Mersenne primes of 1024 bits or more, p * q.
RSA_MODULUS = ((2 ** 1279 - 1) * (2 ** 2203 - 1)).to_bytes(436, "big").hex()
HASH = "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b5"
ISSUER = ("3062311e301c06035504030c15576562417574686e207465737420766563746f7273310c300a060355040a0c0357334331253023060355040b0c1c41757468656e74696361746f72204174"
          "746573746174696f6e204341310b30090603550406130241413020170d3234303130313030303030305a180f33303234303130313030303030305a")
SUBJECT = ("305f311e301c06035504030c15576562417574686e207465737420766563746f7273310c300a060355040a0c0357334331223020060355040b0c1941757468656e74696361746f7220417474"
           "6573746174696f6e310b3009060355040613024141")
P256_SPKI = "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
EXTENSIONS = "a360305e300c0603551d130101ff04023000300e0603551d0f0101ff040403020780301d0603551d0e04160414"
AUTHORITY = "301f0603551d2304183016801445aff715b0dd786741fee996ebc16547a3931b1e300a06082a8648ce3d0403020349003046022100"

# name: (registration challenge, extra data, cross origin, attestation object; the same of authentication, authenticator data, signature)
VECTORS = {
    "16.2 ES256, no attestation": (
        "00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130", "BkQeDjdcTBrXBiAwJTLE5Q",
        f"a363666d74646e6f6e656761747453746d74a068617574684461746158a4{HASH}59000000008446ccb9ab1db374750b2367ff6f3a1f0020"
        "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61"
        "225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220",
        "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408", None, f"{HASH}1900000000",
        "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87"),
    "16.3 ES256, self attestation": (
        "7869c2b772d4b58eba9378cf8f29e26cf935aa77df0da89fa99c0bdc0a76f7e5", "U9hTXvKE2URkMnb_0xYHVg",
        "a363666d74667061636b65646761747453746d74a263616c672663736967584630440220067a20754ab925005dbf378097c92120031581c73228d1fb4f5b881bcd7da98302207fc7b147"
        f"558c7c0eba3af18bd9d121fa3d3a26d17fe3f220272178f473b6006d68617574684461746158a4{HASH}5d00000000df850e09db6afbdfab51697791506cfc0020"
        "455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129cbef58ca5010203262001215820eb151c8176b225cc651559fecf07af450fd85802046656b34c18f6cf193843c5"
        "225820927b8aa427a2be1b8834d233a2d34f61f13bfd44119c325d5896e183fee484f2",
        "4478a10b1352348dd160c1353b0d469b5db19eb91c27f7dfa6fed39fe26af20b", "gTb53rz6EhSWomXGzimC1Q", f"{HASH}0900000000",
        "304402203310b9431903c401f1be2bdc8d23a4007682dbbddcf846994947b7f465daf84002204e94dd00047b316061b3b99772b7efd95994a83ef584b3b6b825ea3550251b66"),
    "16.10 RS256, a certificate": (
        "bea8f0770009bd57f2c0df6fea9f743a27e4b61bbe923c862c7aad7a9fc8e4a6", None,
        "a363666d74667061636b65646761747453746d74a363616c672663736967584730450221008b8c5c6ea8c142c032e0be69e1353d44461c5c9109941cdda951b976eb95b6b302204d52f4"
        "06c19e254b3ff9589bd18070fb055ac8db12fdd0a6734bea9d7168e900637835638159022630820222308201c7a00302010202101f6fb7a5ece81b45896b983a995da5f3300a06082a"
        f"8648ce3d040302{ISSUER}{SUBJECT}{P256_SPKI}"
        "b7b36b7542a11120b443c794d0c99fdc25a06b76586413d81e086163ef6fe147a557afc34e2861d9057d6d465d4705a0310550bdeeb5f35ee35b9425ab859981"
        f"{EXTENSIONS}fb37b647bccfb9e54d989eaaacc1633868703fb3{AUTHORITY}"
        "b86bc129d92afca7d9869a39f70f139a305b4073a39eb654d81424bed5757d91022100cf9f7c60cab7c4a7d3e7f0020f281a93d4fd0a9f95121b989f56932a68885fba"
        f"68617574684461746159021b{HASH}5d00000000428f8878298b9862a36ad8c7527bfef20020992a18acc83f67533600c1138a4b4c4bd236de13629cf025ed17cb00b00b74df"
        f"a4010303390100205901b4{RSA_MODULUS}2143010001",
        "295f59f5fa8fe62c5aca9e27626c78c8da376ae6d8cd2dd29aebad601e1bc4c5", None, f"{HASH}1900000000",
        "01063d52d7c39b4d432fc7063c5d93e582bdcb16889cd71f888d67d880ea730a428498d3bc8e1ee11f2b1ecbe6c292b118c55ffaaddefa8cad0a54dd137c51f1eec673f1bb6c4d1789d6"
        "826a222b22d0f585fc901fdc933212e579d199b89d672aa44891333e6a1355536025e82b25590256c3538229b55737083b2f6b9377e49e2472f11952f79fdd0da180b5ffd901b4049a8f"
        "081bb40711bef76c62aed943571f2d0575304cb549d68d8892f95086a30f93716aee818f8dc06e96c0d5e0ed4cfa9fd8773d90464b68cf140f7986666ff9c9e3302acd0535d60d769f46"
        "5e2ab57ef8aabc89fccfef7ba32a64154a8b3d26be2298f470b8cc5377dbe3dfd4b0b45f8f01e63bde6cfc76b62771f9b70aa27cf40152cad93aa5acd784fd4b90f676e2ea828d0bf240"
        "0aebbaae4153e5838f537f88b6228346782a93a899be66ec77de45b3efcf311da6321c92e6b0cd11bfe653bf3e98cee8e341f02d67dbb6f9c98d9e8178090cfb5b70fbc6d541599ac794"
        "ae2f1d4de1286ec8de8c2daf7b1d15c8438e90d924df5c19045220a4c8438c1b979bbe016cf3d0eeec23c3999d4882cc645b776de930756612cdc6dd398160ff02a6"),
    "16.11 Ed25519, a certificate": (
        "a8abf9dabdc6b0df63466b39bda9e8a34a34e185337a59f1c579990676d3b3bd", "B_DT5g7ZD_-9OTLYX5IvEQ",
        "a363666d74667061636b65646761747453746d74a363616c67266373696758483046022100d83f60bd80269537583218858aefb03ac57d45fa06e42feaae332d187f62da9f022100a02b"
        "d3cb6f7e1d283c93bad1f3f4b5a4c0494463da7fdbf256949116754d1f17637835638159022730820223308201c8a003020102021100b2cfc9ea33c8643b0e1a760463eaf164300a06"
        f"082a8648ce3d040302{ISSUER}{SUBJECT}{P256_SPKI}"
        "dd2b7a564b73b8c0b81c4c62e521925c4d1198ec9f583dbf1eebe364b65cd9c29a9bdf346aaa81fb6b9507e5249a52fdaf8e39e26b0b7dc45992a7e233b70f70"
        f"{EXTENSIONS}0ae27546bc7eccb1b4b597bd354f0c0b1f1f8f8e{AUTHORITY}"
        "a0d434ecb5fc3bfd7da5f41904517ad2836249f561bd834ba7a438a8ab7a4ce8022100fac845bb7a02513b58e9f319654dbe49b0f02b95835bac568c71f8a18cdde9ab"
        f"6861757468446174615881{HASH}4100000000d5aa33581e8ca478e20fe713f5d32ff20020ce9f840ed96599580cd140fbc7bb3230633f50f61041aff73308ae71caa8a2bd"
        "a401010327200621582044e06ddd331c36a8dc667bab52bcae63486c916aa5e339e6acebaa84934bf832",
        "895957e01c633a698348a2d8a31a54b7db27e8c1c43b2080d79ae2190267bfd2", None, f"{HASH}0100000000",
        "f5c59c7e46c34f6f8cc197101ddf9934fa2595f68eb1913a637e8419eb9ba4cfdfc48f85393bc0d40b011f0d6fecb097d6607525713223a0dc0d453993dae00b"),
}
# Section 16.4: valid by the specification, and refused here: no page of another site may frame a sign-in.
CROSS_ORIGIN = (
    "3be5aacd03537142472340ab5969f240f1d87716e20b6807ac230655fa4b3b49", "zZquEtDR9DWqpW5tBWTFug",
    f"a363666d74646e6f6e656761747453746d74a068617574684461746158a4{HASH}4500000000883f4f6014f19c09d87aa38123be48d00020"
    "6e1050c0d2ca2f07c755cb2c66a74c64fa43065c18f938354d9915db2bd5ce57a501020326200121582022200a473f90b11078851550d03b4e44a2279f8c4eca27b3153dedfe03e4e97d"
    "225820cbd0be95e746ad6f5a8191be11756e4c0420e72f65b466d39bc56b8b123a9c6e")


def client_data(ceremony, challenge, /, extra=None, cross=False, **changes):
    members = {"type": f"webauthn.{ceremony}", "challenge": b64(bytes.fromhex(challenge)), "origin": ORIGIN, "crossOrigin": cross}
    if extra:
        members["extraData"] = f"clientDataJSON may be extended with additional fields in the future, such as this: {extra}"
    members.update(changes)
    return json.dumps({name: value for name, value in members.items() if value is not None}, separators=(",", ":")).encode()


def public_key(attestation_object):
    """The COSE key: all behind the credential id, for none of the vectors has extensions."""
    data = attestation_object[attestation_object.index(bytes.fromhex(HASH)):]
    id_len = int.from_bytes(data[53:55], "big")
    return data[55 + id_len:]


def registration(row, **changes):
    challenge, extra, attestation_object = row[:3]
    return {"rp_id": RP_ID, "origin": ORIGIN, "challenge": bytes.fromhex(challenge), "client_data_json": client_data("create", challenge, extra),
            "attestation_object": bytes.fromhex(attestation_object), "user_verification": False, **changes}


def authentication(row, **changes):
    challenge, extra, data, signature = row[3:]
    return {"rp_id": RP_ID, "origin": ORIGIN, "challenge": bytes.fromhex(challenge), "client_data_json": client_data("get", challenge, extra),
            "authenticator_data": bytes.fromhex(data), "signature": bytes.fromhex(signature), "public_key": public_key(bytes.fromhex(row[2])),
            "sign_count": 0, "user_verification": False, **changes}


def given(fields):
    return json.dumps({name: b64(value) if isinstance(value, bytes) else value for name, value in fields.items()}).encode()
