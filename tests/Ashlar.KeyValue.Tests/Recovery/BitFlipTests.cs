using System.Text;
using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Rot: one flipped bit in each byte of a closed store gives an error, never a wrong answer. Only bytes of three kinds may be
/// flipped without anybody noticing, because nobody needs them.
/// </summary>
public sealed class BitFlipTests(ITestOutputHelper output)
{
    const long MostAllocatedBytes = 16 << 20;

    /// <summary>Zeros behind a group, up to the next multiple of 8.</summary>
    const string Padding = "padding of a group";

    /// <summary>
    /// What says that the store was closed in order. Without it the end of the log counts as after a crash, and is whole.
    /// </summary>
    const string ClosedMark = "mark of an orderly close";

    /// <summary>A value that was overwritten, in a segment that is not replayed any more: garbage until its segment is collected.</summary>
    const string Garbage = "value that nothing refers to";

    static KeyValueOptions Options(IFileSystem disk, int separatedValueBytes, bool collects) => new()
    {
        SpaceReserveBytes = 0, // A file that holds nothing.
        SeparatedValueBytes = separatedValueBytes,
        FileSystem = disk,
        Entropy = new SeededEntropy(5),
        BlockBytes = 256,
        LogChunkBytes = 2048,
        LogSegmentBytes = collects ? 1024 : 1 << 20,
        SpaceAmplification = collects ? 1.1 : 1000,
        BlockCacheBytes = 1 << 20,
        BackgroundInline = true,
    };

    [Theory]
    [InlineData(int.MaxValue, false, new[] { ClosedMark, Padding })]
    [InlineData(0, false, new[] { ClosedMark, Padding, Garbage })]
    [InlineData(0, true, new[] { ClosedMark, Padding })] // All of it was collected.
    public void A_flipped_bit_is_noticed_wherever_it_matters(int separatedValueBytes, bool collects, string[] harmlessKinds) =>
        FlipEachByte(separatedValueBytes, collects, harmlessKinds, keys: 24, valueBytes: 1, everyNth: 1);

    [Fact]
    public void A_flipped_bit_of_a_store_of_many_blocks_is_noticed_wherever_it_matters() =>
        FlipEachByte(500, false, [ClosedMark, Padding], keys: 360, valueBytes: 250, TestTier.Choose(101, 1));

    void FlipEachByte(int separatedValueBytes, bool collects, string[] harmlessKinds, int keys, int valueBytes, int everyNth)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        using (var store = KeyValueStore.Open(StoreImage.Directory, Options(disk, separatedValueBytes, collects)))
        {
            for (var i = 0; i < keys; i++) store.Put(Key(i), Value("value", i));
            store.Compact();
            for (var i = 0; i < keys; i += 2) store.Delete(Key(i));
            store.Flush();
            if (collects) store.Compact();
            for (var i = 0; i < keys; i += 3) store.Put(Key(i), Value("newer", i));
            Assert.Equal(collects, store.GetStatistics().MovedValueBytes > 0);
        }

        var image = StoreImage.Take(disk);
        var right = Read(image.ToDisk());
        var kinds = KindsOfBytes(image, right);
        var harmless = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var (flips, refused) = (0, 0);
        foreach (var (name, bytes) in image.Files)
        {
            for (var at = flips % everyNth; at < bytes.Length; at += everyNth)
            {
                flips++;
                var bit = (byte)(1 << (at * 5 % 8));
                bytes[at] ^= bit;
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    var found = Read(image.ToDisk());
                    Assert.True(found == right, $"{name}, byte {at}, bit {bit}: wrong answer {found}");
                    Assert.True(kinds.TryGetValue((name, at), out var kind), $"{name}, byte {at}, bit {bit} went unnoticed");
                    harmless[kind] = harmless.GetValueOrDefault(kind) + 1;
                }
                catch (Exception error) when (error is CorruptDataException or UnsupportedFormatException)
                {
                    refused++;
                    Assert.True(Names(error, name), $"{name}, byte {at}, bit {bit}: the error names another file: {error.Message}");
                }

                Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < MostAllocatedBytes, $"{name}, byte {at}: too much memory");
                bytes[at] ^= bit;
            }
        }

        if (everyNth == 1) Assert.Equal(harmlessKinds, harmless.Keys);
        Assert.True(refused > flips * 3 / 4, $"only {refused} of {flips} flips are noticed");
        output.WriteLine(JsonSerializer.Serialize(
            new { line = "engine bit flips", bytes = image.Files.Sum(file => file.Value.Length), flips, refused, harmless, failures = 0 }));

        // A file that does not go with others is named, or they are.
        static bool Names(Exception error, string name) => error.Message.Contains($"/{name}", StringComparison.Ordinal);

        string Key(int i) => $"key {i:d2}";

        string Value(string kind, int i) => $"{kind} {i}".PadRight(valueBytes, 'v');

        string Read(IFileSystem from)
        {
            using var store = KeyValueStore.Open(StoreImage.Directory, Options(from, separatedValueBytes, collects));
            var text = new StringBuilder(store.ReadAll());
            for (var i = 0; i < keys; i++) text.Append(' ').Append(store.Get(Key(i)) ?? "-");
            var report = store.Verify();
            if (!report.IsClean) throw report.Problems[0];
            return text.ToString();
        }
    }

    static Dictionary<(string File, int At), string> KindsOfBytes(StoreImage image, string content)
    {
        var kinds = new Dictionary<(string, int), string>();
        var manifest = image.Files["MANIFEST"];
        for (var at = manifest.AsSpan().LastIndexOf("EDIT"u8); at < manifest.Length; at++) kinds[("MANIFEST", at)] = ClosedMark;
        foreach (var (name, bytes) in image.Files.Where(file => file.Key.StartsWith("log-", StringComparison.Ordinal)))
        {
            var segment = LogSegmentHeader.Read(bytes, name);
            long offset = LogSegmentHeader.SizeBytes;
            while (LogGroupHeader.TryRead(bytes.AsSpan((int)offset), segment, segment.Seed, offset, out var group, out _))
            {
                var end = (int)offset + LogGroupHeader.SizeBytes + group.BodyLength;
                for (var entry = (int)offset + LogGroupHeader.SizeBytes; entry < end;) entry = AddGarbage(name, bytes, entry);
                for (var at = end; at < group.EndOffset; at++) kinds[(name, at)] = Padding;
                offset = group.EndOffset;
            }

            while (MovedScan.IsRecord(bytes.AsSpan((int)offset), offset, segment.Seed, out _))
                offset = AddGarbage(name, bytes, (int)offset + MovedRecordHeader.SizeBytes);
        }

        return kinds;

        int AddGarbage(string name, byte[] bytes, int start)
        {
            var entry = LogEntry.Read(bytes.AsSpan(start));
            var value = start + LogEntry.HeaderBytes + entry.KeyLength;
            var pair = $"{Encoding.UTF8.GetString(entry.KeyIn(bytes.AsSpan(start)))}="
                + $"{Encoding.UTF8.GetString(entry.ValueIn(bytes.AsSpan(start)))}";
            if (!$" {content} ".Contains($" {pair} ", StringComparison.Ordinal))
            {
                for (var at = value; at < start + entry.SizeBytes; at++) kinds[(name, at)] = Garbage;
            }

            return start + entry.SizeBytes;
        }
    }
}
