"""A fixed amount of OpenSSL's work: 1 GiB through sha256 or aes-128-cbc, in
pieces of 1 MiB, by libcrypto's own functions."""
import ctypes
import hashlib
import sys

PIECE = 1 << 20
COUNT = 1024
lib = ctypes.CDLL("libcrypto.so.3")
POINTER = ctypes.c_void_p
for name in ("EVP_sha256", "EVP_aes_128_cbc", "EVP_MD_CTX_new", "EVP_CIPHER_CTX_new"):
    getattr(lib, name).restype = POINTER
    getattr(lib, name).argtypes = []
lib.EVP_DigestInit_ex.argtypes = [POINTER, POINTER, POINTER]
lib.EVP_DigestUpdate.argtypes = [POINTER, POINTER, ctypes.c_size_t]
lib.EVP_DigestFinal_ex.argtypes = [POINTER, POINTER, POINTER]
lib.EVP_EncryptInit_ex.argtypes = [POINTER, POINTER, POINTER, POINTER, POINTER]
lib.EVP_EncryptUpdate.argtypes = [POINTER, POINTER, POINTER, POINTER, ctypes.c_int]


def done(result):
    if result != 1:
        sys.exit("libcrypto failed")


data = ctypes.create_string_buffer(bytes(range(256)) * (PIECE // 256), PIECE)
if sys.argv[1] == "sha256":
    context = lib.EVP_MD_CTX_new()
    digest = ctypes.create_string_buffer(32)
    done(lib.EVP_DigestInit_ex(context, lib.EVP_sha256(), None))
    for _ in range(COUNT):
        done(lib.EVP_DigestUpdate(context, data, PIECE))
    done(lib.EVP_DigestFinal_ex(context, digest, None))
    print(digest.raw.hex())
else:
    context = lib.EVP_CIPHER_CTX_new()
    out = ctypes.create_string_buffer(PIECE + 16)
    length = ctypes.c_int()
    done(lib.EVP_EncryptInit_ex(context, lib.EVP_aes_128_cbc(), None, b"0123456789abcdef", b"fedcba9876543210"))
    for _ in range(COUNT):
        done(lib.EVP_EncryptUpdate(context, out, ctypes.byref(length), data, PIECE))
    print(hashlib.sha256(out.raw[:length.value]).hexdigest())
