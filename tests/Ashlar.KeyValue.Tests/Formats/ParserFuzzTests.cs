using System.Buffers.Binary;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Each parser of the engine with input that is nearly valid, checksums made right again: an error of the two kinds that there are, no
/// crash, no memory that only a number in the input asked for.
/// </summary>
public sealed class ParserFuzzTests(ITestOutputHelper output)
{
    const uint TableSeed = 0x1234;
    const string Path = "/fuzzed";

    /// <summary>What may be allocated whatever the input is: buffers that are kept, and windows of files.</summary>
    const long AnyInputBytes = 1 << 20;

    static int Inputs => TestTier.Choose(20_000, 2_000_000);

    [Fact]
    public void A_block_of_a_table()
    {
        var buffer = new BlockBuffer();
        Fuzz("table block", [.. Enumerable.Range(1, 12).Select(Block)], Read, bytes => Checksum(bytes));

        // All that later reads rely on was checked once: they may do anything now.
        bool Read(byte[] bytes)
        {
            if (bytes.Length <= KeyValue.Blocks.Block.TrailerBytes) return false; // No handle has that.
            var crc = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(^4));
            var block = buffer.Load(bytes, new BlockHandle(0, bytes.Length, crc), TableSeed, Path);
            var scratch = new byte[ValuePlace.MaxStoredBytes];
            for (var i = 0; i < block.Count; i++)
            {
                var key = block.KeyAt(i);
                block.StoredAt(i, scratch);
                if (block.KindAt(i).HasPlace()) block.PlaceAt(i);
                Assert.InRange(block.Find(key, block.SequenceAt(i)), 0, block.Count);
            }

            return true;
        }
    }

    [Fact]
    public void A_filter_of_a_table()
    {
        var corpus = Enumerable.Range(1, 6).Select(count =>
        {
            var hashes = Enumerable.Range(0, count * 60).Select(number => new SeededRandom((ulong)number).NextUInt64());
            var filter = BloomFilter.Build([.. hashes]);
            BloomFilter.Finish(filter, TableSeed, 0);
            return filter;
        });
        Fuzz("table filter", [.. corpus], Read, bytes => Checksum(bytes));

        static bool Read(byte[] bytes)
        {
            if (!BloomFilter.IsLengthValid(bytes.Length)) return false;
            var handle = new BlockHandle(0, bytes.Length, BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(^4)));
            BlockCheck.RequireTrailer(bytes, handle, TableSeed, Path, BloomFilter.Encoding);
            for (var hash = 0UL; hash < 8; hash++) BloomFilter.MayContain(bytes, hash * 0x9E3779B97F4A7C15);
            return true;
        }
    }

    [Fact]
    public void Groups_of_the_log()
    {
        var corpus = new[]
        {
            new SegmentWriter().Append("one").Append("two", "three").Append("four").Bytes,
            new SegmentWriter().Append("one").Sync().Append("two").Seal().Bytes,
            new SegmentWriter().Append(Batch()).Append("last").Bytes,
        };
        var segment = new SegmentWriter().Segment;
        var disk = TestStore.NewDisk();
        using var file = disk.Open(SegmentWriter.Path, FileOpenMode.CreateNew);
        var replay = new Replay();
        Fuzz("log group", corpus, Read, Repair, TestTier.Choose(8_000, 300_000));

        bool Read(byte[] bytes)
        {
            file.SetLength(0);
            file.Write(bytes, 0);
            if (bytes.Length < LogSegmentHeader.SizeBytes) return false;
            return new LogReader(file, segment).Read(null, 0, replay).Groups > 0;
        }

        // Of each group that is found by its magic number; what it says of its body is left as it is.
        void Repair(byte[] bytes)
        {
            for (var at = LogSegmentHeader.SizeBytes; at + LogGroupHeader.SizeBytes <= bytes.Length; at += LogGroupHeader.AlignmentBytes)
            {
                if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at)) != LogGroupHeader.Magic) continue;
                var crc = Crc32C.Append(segment.Seed, bytes.AsSpan(at + 8, LogGroupHeader.SizeBytes - 8));
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at + 4), crc);
            }
        }
    }

    [Fact]
    public void An_edit_of_the_manifest()
    {
        var corpus = Edits().Select(edit => edit.Encode()).ToArray();
        Fuzz("manifest edit", corpus, bytes =>
        {
            ManifestEdit.Decode(bytes, Path, 0);
            return true;
        });
    }

    [Fact]
    public void The_head_of_a_part_of_an_archive()
    {
        var part = new ArchivePart
        {
            StoreId = SegmentWriter.StoreId,
            HistoryId = SegmentWriter.StoreId,
            Number = 3,
            PreviousCrc = 17,
            SegmentId = 7,
            Nonce = 99,
            From = 64,
            To = 640,
            AfterSequence = 5,
            FirstSequence = 6,
            LastSequence = 9,
            FirstCommitTime = 100,
            LastCommitTime = 200,
            WrittenAt = 300,
            EndHeadCrc = 8,
            ContentCrc = 9,
        };
        var head = new byte[ArchivePart.HeadBytes];
        part.Encode(head);
        Fuzz(
            "archive part", [head],
            bytes =>
            {
                ArchivePart.Decode(bytes, part.FileBytes, Path);
                return true;
            },
            bytes => Checksum(bytes, 12, Math.Min(bytes.Length, ArchivePart.HeadBytes)));
    }

    [Fact]
    public void The_record_of_a_backup()
    {
        var files = Enumerable.Range(1, 5)
            .Select(number => new BackupFile(1000 * number, (uint)number, $"stored-{number}", $"log-{number:d6}")).ToArray();
        var record = new BackupRecord(SegmentWriter.StoreId, 4, 5, 6, 7, files);
        Fuzz(
            "backup record", [record.Encode(), (record with { Files = [] }).Encode()],
            bytes =>
            {
                BackupRecord.Decode(bytes, Path);
                return true;
            },
            bytes => Checksum(bytes, 12, bytes.Length));
    }

    void Fuzz(string parser, IReadOnlyList<byte[]> corpus, Func<byte[], bool> parse, Action<byte[]>? repair = null, int? inputs = null)
    {
        var (seed, number) = (TestSeeds.First(parser), 0);
        var result = ParserFuzz.Run(corpus, inputs ?? Inputs, seed, AnyInputBytes, input =>
        {
            // Of some the checksums stay as they are.
            if (repair is not null && ++number % 8 != 0) repair(input);
            try
            {
                return parse(input);
            }
            catch (Exception error) when (error is CorruptDataException or UnsupportedFormatException)
            {
                return false;
            }
        });
        Assert.True(result.Accepted > result.Inputs / 500, $"only {result}: hardly anything gets as far as to be parsed");
        Assert.True(result.Inputs - result.Accepted > result.Inputs / 20, $"only {result}");
        output.WriteLine(result.ToJson($"engine {parser}", seed));
    }

    static byte[] Block(int entries)
    {
        var builder = new BlockBuilder();
        for (var i = 0; i < entries; i++)
        {
            var key = TestStore.Bytes($"key{i:d3}");
            builder.Add(i % 3 == 0 ? EntryKind.Delete : EntryKind.Put, key, (ulong)(100 - i), i % 3 == 0 ? [] : key);
        }

        return builder.Finish(TableSeed, 0, out _).ToArray();
    }

    static void Checksum(byte[] block)
    {
        if (block.Length < 5) return;
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(^4), KeyValue.Blocks.Block.Checksum(TableSeed, 0, block.AsSpan(..^4)));
    }

    // Over everything but itself.
    static void Checksum(byte[] bytes, int at, int end)
    {
        if (end < at + 4) return;
        var crc = Crc32C.Append(Crc32C.Compute(bytes.AsSpan(0, at)), bytes.AsSpan((at + 4)..end));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), crc);
    }

    static WriteBatch Batch()
    {
        var batch = new WriteBatch();
        batch.Put("a"u8, new byte[300]);
        batch.Delete("b"u8);
        batch.Put("c"u8, "expiring"u8, DateTimeOffset.MaxValue);
        return batch;
    }

    static IEnumerable<ManifestEdit> Edits()
    {
        yield return new ManifestEdit { LastSequence = 4, LastCommitTime = 5, NextFileId = 6, ObsoleteThroughLog = 2, Closed = true };
        var ranges = new ManifestEdit { Features = StoreFeatures.RangeDeletes };
        ranges.AddedRanges.Add(new RangeTombstone("a"u8.ToArray(), "b"u8.ToArray(), 3));
        ranges.AddedRanges.Add(new RangeTombstone("c"u8.ToArray(), null, 4));
        ranges.RetiredRanges.Add(2);
        yield return ranges;
        yield return new ManifestEdit { Archive = new ArchivePosition(1, 2, 3, 4), HistoryId = SegmentWriter.StoreId };
        // What stores write.
        var disk = TestStore.NewDisk();
        using (var store = KeyValueStore.Open(TestStore.Directory, RandomHistory.Options(disk, 5))) RandomHistory.Write(store, 5);
        var files = new StoreFiles(disk, TestStore.Directory);
        using var manifest = Manifest.Read(files, TestStore.Small(disk));
        yield return manifest.State.ToEdit();
        yield return manifest.State.ToCopy();
    }

    sealed class Replay : ILogReplay
    {
        public void Apply(ulong sequence, ulong segmentId, long entryOffset, in LogEntry entry, ReadOnlySpan<byte> bytes)
        {
            entry.KeyIn(bytes);
            entry.ValueIn(bytes);
        }
    }
}
