/* Packed kernels: gzip, zstd, and EFI "zboot" images, which hold one of those.
 * Sizes in them are hostile: what comes out is bounded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "machine/machine_impl.h"

#define LARGEST (UINT64_C(1) << 30) /* bytes of an unpacked kernel */
#define FIRST_ROOM UINT64_C(0x10000) /* at least; else four times what is packed */

/* Makes room for more of what comes out of `size` packed bytes. */
static int
grow(struct payload *out, size_t *room, size_t size, const char *path, struct error *error)
{
	size_t first = size < FIRST_ROOM / 4 ? FIRST_ROOM : size * 4, more = *room ? *room * 2 : first;
	uint8_t *bytes = more <= LARGEST ? realloc(out->bytes, more) : NULL;

	if (!bytes)
		return error_set(error, EFBIG, "%s: unpacks to more than %llu bytes", path,
				 (unsigned long long)*room);
	out->bytes = bytes;
	*room = more;
	return 0;
}

static int
inflate_all(const uint8_t *bytes, size_t size, struct payload *out, const char *path, struct error *error)
{
	enum { GZIP = 16 };
	z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)size };
	size_t room = 0;
	int code = Z_OK, failed = 0;

	if (size > UINT32_MAX || inflateInit2(&z, GZIP + MAX_WBITS) != Z_OK)
		return error_set(error, EINVAL, "%s: cannot be unpacked", path);
	while (code == Z_OK && !failed) {
		if (out->size == room && grow(out, &room, size, path, error)) {
			failed = -1;
			break;
		}
		z.next_out = out->bytes + out->size;
		z.avail_out = (uInt)(room - out->size);
		code = inflate(&z, Z_NO_FLUSH);
		out->size = room - z.avail_out;
	}
	inflateEnd(&z);
	if (!failed && code != Z_STREAM_END)
		failed = error_set(error, EINVAL, "%s: its gzip data are damaged", path);
	return failed;
}

static int
unzstd(const uint8_t *bytes, size_t size, struct payload *out, const char *path, struct error *error)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_inBuffer in = { bytes, size, 0 };
	size_t room = 0, left = 1;
	int failed = z ? 0 : error_set(error, ENOMEM, "%s: no memory to unpack it", path);

	while (!failed && left) {
		ZSTD_outBuffer to;

		if (out->size == room && grow(out, &room, size, path, error)) {
			failed = -1;
			break;
		}
		to = (ZSTD_outBuffer){ out->bytes, room, out->size };
		left = ZSTD_decompressStream(z, &to, &in);
		if (ZSTD_isError(left) || (left && in.pos == in.size && to.pos == out->size))
			failed = error_set(error, EINVAL, "%s: its zstd data are damaged", path);
		out->size = to.pos;
	}
	ZSTD_freeDStream(z);
	return failed;
}

static uint32_t
word(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof value);
	return value;
}

/* What is packed in a zboot image: offset at 8, size at 12. */
static bool
zboot_payload(const struct payload *image, const uint8_t **bytes, size_t *size)
{
	uint32_t offset, length;

	if (image->size < 64 || memcmp(image->bytes, "MZ", 2) || memcmp(image->bytes + 4, "zimg", 4))
		return false;
	offset = word(image->bytes + 8);
	length = word(image->bytes + 12);
	if (offset > image->size || length > image->size - offset)
		return false;
	*bytes = image->bytes + offset;
	*size = length;
	return true;
}

int
payload_unpack(struct payload *image, const char *path, struct error *error)
{
	const uint8_t *bytes = image->bytes;
	struct payload out = { 0 };
	size_t size = image->size;
	int failed;

	zboot_payload(image, &bytes, &size);
	if (size > 4 && !memcmp(bytes, "\x1f\x8b", 2))
		failed = inflate_all(bytes, size, &out, path, error);
	else if (size > 4 && word(bytes) == ZSTD_MAGICNUMBER)
		failed = unzstd(bytes, size, &out, path, error);
	else if (bytes != image->bytes)
		return error_set(error, ENOTSUP, "%s: packed in a way not known here (gzip and zstd are)", path);
	else
		return 0;
	if (failed) {
		payload_free(&out);
		return -1;
	}
	payload_free(image);
	*image = out;
	return 0;
}
