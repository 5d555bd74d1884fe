using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>Short words for what tests do with a store.</summary>
static class TestStore
{
    public const string Directory = "/store";

    /// <summary>A small store on a disk in memory: a few hundred writes pass through memtables and levels.</summary>
    public static KeyValueOptions Small(IFileSystem disk, bool inline = true) => new()
    {
        FileSystem = disk,
        Entropy = new SeededEntropy(5),
        TimeProvider = new SimulatedClock(),
        MemTableBytes = 8 << 10,
        TableBytes = 4 << 10,
        BlockBytes = 512,
        LogChunkBytes = 8 << 10,
        BlockCacheBytes = 1 << 20,
        SpaceReserveBytes = 0, // A file that holds nothing; DiskFullTests has it.
        BackgroundInline = inline,
    };

    /// <summary>Smaller still, so that few writes pass through all that the engine does; the sizes follow from a seed.</summary>
    public static KeyValueOptions Tiny(IFileSystem disk, ulong seed) => Small(disk) with
    {
        Entropy = new SeededEntropy(seed),
        MemTableBytes = seed % 2 == 0 ? 1500 : 4000,
        SeparatedValueBytes = (seed / 2 % 4) switch { 0 => 0, 1 => 60, 2 => 256, _ => int.MaxValue },
        LogSegmentBytes = seed % 3 == 0 ? 1 << 20 : 1500,
        SpaceAmplification = 1.1,
        TableBytes = 1024,
        BlockBytes = 256,
        LogChunkBytes = 2048,
        ManifestRewriteBytes = 400,
        LevelZeroTables = 2,
        RelaxedLossBytes = 4096,
    };

    public static SimulatedFileSystem NewDisk() => new(isRecording: false);

    /// <summary>For tests that need no more than a disk: a real one by the portable door, where tests are to try that.</summary>
    public static IFileSystem AnyDisk() => RealDisk.IsPortable ? RealDisk.New() : NewDisk();

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static void Put(this KeyValueStore store, string key, string value, Durability durability = Durability.Sync) =>
        store.Put(Bytes(key), Bytes(value), durability);

    public static void Delete(this KeyValueStore store, string key) => store.Delete(Bytes(key));

    public static string? Get(this KeyValueStore store, string key) =>
        store.Get(Bytes(key)) is { } value ? Encoding.UTF8.GetString(value) : null;

    public static string? Get(this KeyValueSnapshot snapshot, string key) =>
        snapshot.Get(Bytes(key)) is { } value ? Encoding.UTF8.GetString(value) : null;

    /// <summary>"a=1 b=2": what a cursor finds.</summary>
    public static string ReadAll(this KeyValueCursor cursor)
    {
        var text = new List<string>();
        using (cursor)
        {
            while (cursor.MoveNext()) text.Add($"{Encoding.UTF8.GetString(cursor.Key)}={Encoding.UTF8.GetString(cursor.Value)}");
        }

        return string.Join(' ', text);
    }

    public static string ReadAll(this KeyValueStore store, ScanDirection direction = ScanDirection.Forward) =>
        store.Scan(KeyRange.All, direction).ReadAll();
}
