using System.Buffers.Binary;
using Ashlar.Nbd.Protocol;

namespace Ashlar.Nbd.Tests.Client;

/// <summary>Answers to BLOCK_STATUS, by the id of the context.</summary>
static class StatusReply
{
    public static Dictionary<uint, BlockDescriptor[]> Read(IReadOnlyList<ReplyChunk> reply) => reply.ToDictionary(
        chunk => BinaryPrimitives.ReadUInt32BigEndian(chunk.Payload),
        chunk => chunk.Type == ChunkCode.BlockStatusWide ? ReadWide(chunk.Payload) : ReadNarrow(chunk));

    static BlockDescriptor[] ReadNarrow(ReplyChunk chunk)
    {
        Assert.Equal(ChunkCode.BlockStatus, chunk.Type);
        return [.. chunk.Payload[BlockDescriptor.PrefixBytes..].Chunk(BlockDescriptor.SizeBytes).Select(one => BlockDescriptor.Read(one))];
    }

    static BlockDescriptor[] ReadWide(byte[] payload)
    {
        BlockDescriptor[] found =
        [
            .. payload[BlockDescriptor.WidePrefixBytes..].Chunk(BlockDescriptor.WideSizeBytes).Select(one => BlockDescriptor.ReadWide(one)),
        ];
        Assert.Equal((uint)found.Length, BinaryPrimitives.ReadUInt32BigEndian(payload.AsSpan(sizeof(uint))));
        return found;
    }
}
