using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

public sealed class InterruptedCreationTests
{
    const string Directory = "/a/b/store";

    [Fact]
    public void What_is_written_to_a_store_outlives_power_loss_whenever_its_creation_was_interrupted()
    {
        var interrupted = InterruptedCreation.Sweep(
            disk => Open(disk).Dispose(),
            (disk, key) =>
            {
                using var store = Open(disk);
                store.Put(key, "1");
            },
            (disk, key) =>
            {
                using var store = Open(disk);
                return store.Get(key) == "1";
            });
        Assert.True(interrupted >= 4, $"only {interrupted} syncs of directories");
    }

    static KeyValueStore Open(IFileSystem disk) => KeyValueStore.Open(Directory, TestStore.Small(disk));
}
