using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Rot: one flipped bit in each byte of a closed store gives an error or no difference, never a wrong answer.
/// </summary>
public sealed class BitFlipTests(ITestOutputHelper output)
{
    const long MostAllocatedBytes = 16 << 20;

    static KeyValueOptions Options(IFileSystem disk, int separatedValueBytes) => new()
    {
        SpaceReserveBytes = 0, // A file that holds nothing.
        SeparatedValueBytes = separatedValueBytes,
        FileSystem = disk,
        Entropy = new SeededEntropy(5),
        BlockBytes = 256,
        LogChunkBytes = 2048,
        BlockCacheBytes = 1 << 20,
        BackgroundInline = true,
    };

    [Theory, InlineData(int.MaxValue), InlineData(0)]
    public void A_flipped_bit_is_noticed_or_harmless_wherever_it_is(int separatedValueBytes)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        using (var store = KeyValueStore.Open(StoreImage.Directory, Options(disk, separatedValueBytes)))
        {
            for (var i = 0; i < 24; i++) store.Put($"key {i:d2}", $"value {i}");
            store.Compact();
            for (var i = 0; i < 24; i += 2) store.Delete($"key {i:d2}");
            store.Flush();
            for (var i = 0; i < 24; i += 3) store.Put($"key {i:d2}", $"newer {i}");
        }

        var image = StoreImage.Take(disk);
        var right = Read(image.ToDisk(), separatedValueBytes);
        int detected = 0, harmless = 0;
        foreach (var (name, bytes) in image.Files)
        {
            for (var at = 0; at < bytes.Length; at++)
            {
                var bit = (byte)(1 << (at * 5 % 8));
                bytes[at] ^= bit;
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    var found = Read(image.ToDisk(), separatedValueBytes);
                    Assert.True(found == right, $"{name}, byte {at}, bit {bit}: wrong answer {found}");
                    harmless++;
                }
                catch (Exception error) when (error is CorruptDataException or UnsupportedFormatException)
                {
                    detected++;
                }

                Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < MostAllocatedBytes, $"{name}, byte {at}: too much memory");
                bytes[at] ^= bit;
            }
        }

        output.WriteLine($"{detected} detected, {harmless} harmless of {image.Files.Sum(file => file.Value.Length)} bytes");
        // Of a segment that is not replayed any more only the values that tables refer to are ever read.
        Assert.True(detected > (separatedValueBytes == 0 ? 1 : 9) * harmless, $"{detected} detected, {harmless} harmless");
    }

    static string Read(IFileSystem disk, int separatedValueBytes)
    {
        using var store = KeyValueStore.Open(StoreImage.Directory, Options(disk, separatedValueBytes));
        var text = new StringBuilder(store.ReadAll());
        for (var i = 0; i < 24; i++) text.Append(' ').Append(store.Get($"key {i:d2}") ?? "-");
        var report = store.Verify();
        if (!report.IsClean) throw report.Problems[0];
        return text.ToString();
    }
}
