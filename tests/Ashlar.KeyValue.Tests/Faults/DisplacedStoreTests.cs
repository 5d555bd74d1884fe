using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// While a store is open its directory is moved, replaced or deleted, or its lock file is. Whatever is there then stays untouched.
/// </summary>
[Trait("disk", "any")]
public sealed class DisplacedStoreTests : IDisposable
{
    const FaultOperations HandleOperations =
        FaultOperations.LockState | FaultOperations.Read | FaultOperations.Write | FaultOperations.SetLength | FaultOperations.Allocate
        | FaultOperations.Sync | FaultOperations.Length | FaultOperations.WriteBack;

    readonly TemporaryDirectory temporary = new();

    public void Dispose() => temporary.Dispose();

    (IFileSystem Disk, string Path) Place(bool isReal) =>
        isReal ? (RealDisk.Door, temporary["store"]) : (TestStore.AnyDisk(), TestStore.Directory);

    public enum Mishap
    {
        Moved,
        Replaced,
        LockDeleted,
        LockDeletedAndOpenedAgain,
    }

    public static TheoryData<Mishap, Durability, bool> Mishaps
    {
        get
        {
            var data = new TheoryData<Mishap, Durability, bool>();
            foreach (var mishap in Enum.GetValues<Mishap>())
            {
                foreach (var durability in (Durability[])[Durability.Sync, Durability.Unflushed])
                {
                    data.Add(mishap, durability, false);
                    data.Add(mishap, durability, true);
                }
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Mishaps))]
    public void A_store_that_was_displaced_refuses_writes_and_touches_nothing_of_what_is_there(
        Mishap mishap, Durability durability, bool isReal)
    {
        var (disk, path) = Place(isReal);
        var options = TestStore.Small(disk) with { LogSegmentBytes = 20_000, SpaceReserveBytes = 64 << 10 };
        var first = KeyValueStore.Open(path, options);
        for (var i = 0; i < 300; i++) first.Put($"first {i:d3}", new string('x', 100));
        var second = Befall(mishap, disk, path, options);
        var before = second is null ? null : StoreImage.Take(disk, path);

        var acknowledged = 0;
        var refused = Assert.Throws<StorePoisonedException>(() =>
        {
            for (; acknowledged < 10_000; acknowledged++) first.Put($"later {acknowledged:d5}", new string('y', 100), durability);
        });
        Assert.IsType<StoreDisplacedException>(refused.FirstCause);
        if (durability == Durability.Sync) Assert.Equal(0, acknowledged);
        Assert.Throws<StorePoisonedException>(() => first.Put("a", "1"));
        Assert.Throws<StorePoisonedException>(() => first.Delete("a"));
        Assert.Throws<StorePoisonedException>(first.Sync);
        Assert.Throws<StorePoisonedException>(first.Compact);
        Assert.Throws<StorePoisonedException>(first.Close);
        before?.RequireSameFiles(disk, path);

        if (second is null)
        {
            Assert.Equal(mishap == Mishap.Moved, !disk.DirectoryExists(path));
        }
        else
        {
            for (var i = 0; i < 300; i++) second.Put($"second {i:d3}", "1");
            second.Close();
            using var again = KeyValueStore.Open(path, options);
            Assert.Equal("1", again.Get("second 299"));
            Assert.Equal(mishap == Mishap.LockDeletedAndOpenedAgain ? new string('x', 100) : null, again.Get("first 299"));
            Assert.Empty(again.Verify().Problems);
        }

        using var own = KeyValueStore.Open(mishap is Mishap.Moved or Mishap.Replaced ? path + ".old" : path, options);
        for (var i = 0; i < 300; i++) Assert.Equal(new string('x', 100), own.Get($"first {i:d3}"));
        Assert.Empty(own.Verify().Problems);
    }

    [Fact]
    public void A_write_that_is_acknowledged_is_in_the_store_that_was_opened_beside_it_at_whatever_moment()
    {
        var moments = 0;
        for (var nth = 1; ; nth++)
        {
            var disk = TestStore.AnyDisk();
            var count = 0;
            KeyValueStore? second = null;
            var faulty = new FaultyFileSystem(disk)
            {
                BeforeOperation = (operation, _) =>
                {
                    // What is done by path comes right after a look.
                    if (!HandleOperations.HasFlag(operation) || ++count != nth || !disk.FileExists($"{TestStore.Directory}/LOCK")) return;
                    disk.Delete($"{TestStore.Directory}/LOCK");
                    second = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with { Entropy = new SeededEntropy(8) });
                },
            };
            if (TryOpen(faulty) is not { } first)
            {
                second!.Dispose();
                continue;
            }

            var acknowledged = 0;
            try
            {
                for (; acknowledged < 8; acknowledged++) first.Put($"{acknowledged}", new string('x', 2000));
            }
            catch (StorePoisonedException)
            {
            }
            catch (StoreDisplacedException)
            {
                // Found before anything was written.
            }

            first.Dispose();
            if (count < nth) break;
            if (second is null) continue; // It was not open yet.
            moments++;
            for (var i = 0; i < acknowledged; i++)
                Assert.True(second.Get($"{i}") is not null, $"operation {nth}, write {i} of {acknowledged}");
            second.Put("second", "1");
            second.Close();
            using var again = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
            Assert.Equal("1", again.Get("second"));
            Assert.Empty(again.Verify().Problems);
        }

        Assert.True(moments > 50, $"{moments} moments");
    }

    [Fact]
    public void A_directory_that_was_deleted_is_noticed_by_the_next_durable_write()
    {
        var store = KeyValueStore.Open(temporary["store"]);
        store.Put("a", "1");
        Directory.Delete(temporary["store"], recursive: true);
        Assert.Throws<StorePoisonedException>(() => store.Put("b", "1"));
        Assert.IsType<StorePoisonedException>(store.Failure);
        Assert.Throws<StorePoisonedException>(store.Close);
        Assert.False(Directory.Exists(temporary["store"]));
    }

    [Fact]
    public void A_directory_that_was_put_back_stays_refused_until_the_store_is_opened_anew()
    {
        using (var store = KeyValueStore.Open(temporary["store"]))
        {
            store.Put("a", "1");
            Directory.Move(temporary["store"], temporary["elsewhere"]);
            Assert.Throws<StorePoisonedException>(() => store.Put("b", "1"));
            Directory.Move(temporary["elsewhere"], temporary["store"]);
            Assert.Throws<StorePoisonedException>(() => store.Put("c", "1"));
        }

        using var again = KeyValueStore.Open(temporary["store"]);
        again.Put("d", "1");
        Assert.Equal(("1", null), (again.Get("a"), again.Get("c")));
    }

    static KeyValueStore? TryOpen(IFileSystem disk)
    {
        try
        {
            return KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        }
        catch (StoreDisplacedException)
        {
            return null;
        }
    }

    static KeyValueStore? Befall(Mishap mishap, IFileSystem disk, string path, KeyValueOptions options)
    {
        if (mishap is Mishap.Moved or Mishap.Replaced)
        {
            disk.Rename(path, path + ".old");
            if (mishap == Mishap.Moved) return null;
        }
        else
        {
            disk.Delete($"{path}/LOCK");
            if (mishap == Mishap.LockDeleted) return null;
        }

        var second = KeyValueStore.Open(path, options with { Entropy = new SeededEntropy(8) });
        for (var i = 0; i < 200; i++) second.Put($"second {i:d3}", new string('z', 100));
        return second;
    }
}
