using System.Buffers.Binary;
using Ashlar.Blocks.Raid;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.Raid;

/// <summary>A batch of the journal counts as a whole or not at all.</summary>
public sealed class JournalBatchTests
{
    const int BodyBytes = 3 * 4096;

    // Power was lost after the header of the second one was written. The CRC32C of both bodies is the same.
    [Fact]
    public void A_header_does_not_make_the_body_of_an_older_batch_its_own()
    {
        var set = new SeededEntropy(1).NextGuid();
        var (older, newer) = (Batch(set, 1), Batch(set, 9));
        Assert.Equal(CrcOf(older), CrcOf(newer));

        Assert.True(IsSound(newer, newer));
        Assert.False(IsSound(newer, older));
    }

    [Fact]
    public void A_batch_of_an_earlier_program_counts()
    {
        var set = new SeededEntropy(1).NextGuid();
        var batch = Batch(set, 1);
        var header = batch.AsSpan(0, JournalBatch.HeaderBytes);
        header[8] = 1;
        header[64..72].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header[64..], CrcOf(batch));
        BinaryPrimitives.WriteUInt32LittleEndian(header[4092..], Crc32C.Compute(header[..4092]));

        Assert.Equal(1, JournalBatch.ReadHeader(header, set, batch.Length)?.Sequence);
        Assert.True(IsSound(batch, batch));
        batch[^1] ^= 1;
        Assert.False(IsSound(batch, batch));
    }

    static uint CrcOf(byte[] batch) => Crc32C.Compute(batch.AsSpan(JournalBatch.HeaderBytes));

    static bool IsSound(byte[] header, byte[] body) =>
        JournalBatch.IsBodySound(header.AsSpan(0, JournalBatch.HeaderBytes), body.AsSpan(JournalBatch.HeaderBytes));

    // Of pages that end with CRCs of their own.
    static byte[] Batch(Guid set, long sequence)
    {
        var buffer = new byte[JournalBatch.HeaderBytes + BodyBytes];
        for (var at = JournalBatch.HeaderBytes; at < buffer.Length; at += 4096)
        {
            var page = buffer.AsSpan(at, 4096);
            new SeededRandom((ulong)(sequence + at)).Fill(page);
            BinaryPrimitives.WriteUInt32LittleEndian(page[4092..], Crc32C.Compute(page[..4092]));
        }

        return new JournalBatch(set, Epoch: 1, sequence, Tail: 1, Count: 1, RecordBytes: BodyBytes).Seal(buffer).ToArray();
    }
}
