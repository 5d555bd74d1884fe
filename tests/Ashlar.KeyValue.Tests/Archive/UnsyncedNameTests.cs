using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// The process died, or a sync failed, when a part had its name and nobody knew that it was durable. The next opening may take the part for
/// archived only once it is.
/// </summary>
public sealed class UnsyncedNameTests
{
    const string Archive = "/archive";

    [Fact]
    public void The_name_of_a_part_is_durable_before_the_log_goes_because_of_it()
    {
        var disk = new SimulatedFileSystem();
        var faulty = new FaultyFileSystem(disk);
        using (var store = KeyValueStore.Open(TestStore.Directory, Options(faulty)))
        {
            store.Put("a", "1");
            faulty.Add(new FaultRule(FaultOperations.SyncDirectory, FaultKind.InputOutputError) { PathPattern = Archive });
            Assert.Throws<Storage.StorageException>(store.ArchiveLog);
            faulty.Add(new FaultRule(FaultOperations.All, FaultKind.InputOutputError) { IsSticky = true }); // It is killed.
        }

        using var reopened = KeyValueStore.Open(TestStore.Directory, Options(disk));
        reopened.Flush();
        Assert.Equal(0, reopened.GetStatistics().ArchiveLagBytes);
        Assert.Equal(0, reopened.GetStatistics().ArchiveParts); // Nothing else has made its name durable.
        for (var seed = 1UL; seed <= 40; seed++)
        {
            var after = disk.LosePower(seed);
            using var last = KeyValueStore.Open(TestStore.Directory, Options(after));
            Assert.Equal("a=1", last.ReadAll());
            last.ArchiveLog();
            Assert.Empty(new LogArchive(Archive, Options(after)).Verify().Problems);
        }
    }

    static KeyValueOptions Options(Storage.IFileSystem disk) => TestStore.Small(disk) with { LogArchiveDirectory = Archive };
}
