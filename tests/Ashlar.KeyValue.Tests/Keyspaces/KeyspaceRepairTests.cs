using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Keyspaces of a damaged store are keyspaces of the new one.</summary>
public sealed class KeyspaceRepairTests
{
    const string Target = "/repaired";

    [Theory, InlineData(true, false), InlineData(true, true), InlineData(false, false), InlineData(false, true)]
    public void Keyspaces_stay_keyspaces_by_the_manifest_or_by_their_mark(bool hasManifest, bool isFlushed)
    {
        var disk = NewStore(isFlushed);
        if (!hasManifest) disk.Delete($"{TestStore.Directory}/MANIFEST");
        RequireKeyspaces(Repair(disk));
    }

    [Theory, InlineData(true, 1), InlineData(true, 2), InlineData(false, 1)]
    public void A_lost_mark_gives_no_number_to_another_keyspace(bool hasManifest, int lostMarks)
    {
        var image = StoreImage.Take(NewStore(isFlushed: false));
        if (!hasManifest) image.Files.Remove("MANIFEST");
        var log = image.Files[image.Files.Keys.Last(name => name.StartsWith("log-", StringComparison.Ordinal))];
        for (var lost = 0; lost < lostMarks; lost++)
        {
            var at = log.AsSpan().LastIndexOf("ASHLRKSP"u8);
            Assert.True(at > 0);
            log[at] ^= 1;
        }

        RequireKeyspaces(Repair(image.ToDisk()));
    }

    [Fact]
    public void What_earlier_programs_must_know_of_stays_so()
    {
        var disk = TestStore.NewDisk();
        using (var store = Open(disk, TestStore.Directory))
        {
            store.Put("a", "1");
            store.DeleteRange(KeyRange.All);
        }

        KeyValueRepair.Run(TestStore.Directory, Target, TestStore.Small(disk));
        using var manifest = Manifest.Read(new StoreFiles(disk, Target), TestStore.Small(disk) with { ReadOnly = true });
        Assert.Equal(StoreFeatures.RangeDeletes, manifest.State.Features);
    }

    [Fact]
    public void Keys_of_a_store_without_keyspaces_stay_as_they_are()
    {
        var disk = TestStore.NewDisk();
        byte[] key = [0xFF, 0xFF, 0xFF, 0xFF];
        using (var store = Open(disk, TestStore.Directory)) store.Put(key, "twelve bytes"u8);
        using var repaired = Repair(disk);
        Assert.Equal("twelve bytes"u8.ToArray(), repaired.Get(key));
        repaired.Delete(key);
    }

    static SimulatedFileSystem NewStore(bool isFlushed)
    {
        var disk = TestStore.NewDisk();
        using var store = Open(disk, TestStore.Directory);
        store.Put("a", "plain");
        foreach (var name in new[] { "users", "orders" }) store.OpenKeyspace(name).Put("a"u8, TestStore.Bytes(name));
        if (isFlushed) store.Flush();
        return disk;
    }

    static void RequireKeyspaces(KeyValueStore repaired)
    {
        using (repaired)
        {
            Assert.True(repaired.Verify().IsClean);
            Assert.Equal(["orders", "users"], repaired.ListKeyspaces());
            Assert.Equal("a=plain", repaired.ReadAll());
            repaired.DeleteRange(KeyRange.From("0"u8));
            var prefixes = new HashSet<string>();
            foreach (var name in new[] { "users", "orders" })
            {
                var keyspace = repaired.OpenKeyspace(name);
                Assert.Equal(TestStore.Bytes(name), keyspace.Get("a"u8));
                Assert.True(prefixes.Add(Convert.ToHexString(keyspace.Identity.Prefix)));
            }

            var other = repaired.OpenKeyspace("new");
            Assert.True(prefixes.Add(Convert.ToHexString(other.Identity.Prefix)));
            Assert.Null(other.Get("a"u8));
        }
    }

    static KeyValueStore Repair(SimulatedFileSystem disk)
    {
        KeyValueRepair.Run(TestStore.Directory, Target, TestStore.Small(disk));
        return Open(disk, Target);
    }

    static KeyValueStore Open(SimulatedFileSystem disk, string directory) => KeyValueStore.Open(directory, TestStore.Small(disk));
}
