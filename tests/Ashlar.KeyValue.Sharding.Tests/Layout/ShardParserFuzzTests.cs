using System.Buffers.Binary;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>The file of the shards, and the record of a backup of them, with input that is nearly valid.</summary>
public sealed class ShardParserFuzzTests(ITestOutputHelper output)
{
    static readonly ShardFile[] Layouts =
    [
        new(new Guid(1, 2, 3, new byte[8]), 0, [], [new Guid(4, 5, 6, new byte[8])]),
        new(
            new Guid(1, 2, 3, new byte[8]), 3, "hot/"u8.ToArray(),
            [.. Enumerable.Range(1, 4).Select(number => new Guid(number, 5, 6, new byte[8]))]),
    ];

    [Fact]
    public void The_file_of_the_shards() =>
        Fuzz("shard file", [.. Layouts.Select(layout => layout.Encode())], bytes => ShardFile.Decode(bytes, "/fuzzed"));

    [Fact]
    public void The_record_of_a_backup_of_all_shards()
    {
        var records = Layouts.Select(layout => new ShardedBackupRecord(
            7, 8, [.. layout.ShardIds.Select((_, number) => new ShardBackup((ulong)number, 9))], layout).Encode());
        Fuzz("sharded backup record", [.. records], bytes => ShardedBackupRecord.Decode(bytes, "/fuzzed"));
    }

    void Fuzz(string parser, byte[][] corpus, Action<byte[]> decode)
    {
        const ulong Seed = 29;
        var number = 0;
        var result = ParserFuzz.Run(corpus, TestTier.Choose(20_000, 2_000_000), Seed, allowedBytes: 4096, input =>
        {
            // Of some the checksum stays as it is.
            if (++number % 8 != 0 && input.Length >= 16)
            {
                var crc = Crc32C.Append(Crc32C.Compute(input.AsSpan(0, 12)), input.AsSpan(16));
                BinaryPrimitives.WriteUInt32LittleEndian(input.AsSpan(12), crc);
            }

            try
            {
                decode(input);
                return true;
            }
            catch (Exception error) when (error is CorruptDataException or UnsupportedFormatException)
            {
                return false;
            }
        });
        Assert.True(result.Accepted > result.Inputs / 500 && result.Inputs - result.Accepted > result.Inputs / 20, $"only {result}");
        output.WriteLine(result.ToJson($"engine {parser}", Seed));
    }
}
