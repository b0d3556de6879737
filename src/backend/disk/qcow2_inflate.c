/* Compressed clusters (qcow2: Compressed Clusters Descriptor): raw deflate with a
 * 12-bit window, or zstd. The packed size in an entry is rounded up to sectors,
 * so junk may follow the stream: done is when the cluster is full. */
#include <zlib.h>
#include <zstd.h>

#include "backend/disk/qcow2_impl.h"

static bool
inflate_deflate(const uint8_t *from, size_t size, uint8_t *to, size_t cluster)
{
	z_stream stream = { 0 };
	int result;

	if (inflateInit2(&stream, -15) != Z_OK)
		return false;
	stream.next_in = (Bytef *)(uintptr_t)from;
	stream.avail_in = (uInt)size;
	stream.next_out = to;
	stream.avail_out = (uInt)cluster;
	result = inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	return (result == Z_STREAM_END || result == Z_BUF_ERROR) && !stream.avail_out;
}

static bool
inflate_zstd(const uint8_t *from, size_t size, uint8_t *to, size_t cluster)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	ZSTD_inBuffer in = { from, size, 0 };
	ZSTD_outBuffer out = { to, cluster, 0 };

	if (!stream)
		return false;
	while (out.pos < out.size) {
		size_t in_before = in.pos, out_before = out.pos;
		size_t result = ZSTD_decompressStream(stream, &out, &in);

		if (ZSTD_isError(result) || (in.pos == in_before && out.pos == out_before))
			break;
	}
	ZSTD_freeDStream(stream);
	return out.pos == out.size;
}

bool
qcow2_inflate(unsigned compression, const uint8_t *from, size_t size, uint8_t *to, size_t cluster)
{
	return compression ? inflate_zstd(from, size, to, cluster) : inflate_deflate(from, size, to, cluster);
}
