using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>An opening that fails leaves nothing behind in the process, wherever it fails.</summary>
public sealed class FailedOpeningTests
{
    [Theory, InlineData(false), InlineData(true)]
    public void Whatever_fails_while_a_store_is_opened_no_file_stays_open(bool isArchived) => Assert.Equal("", FindLeak(isArchived));

    static string FindLeak(bool isArchived)
    {
        var failed = 0;
        for (var nth = 1; ; nth++)
        {
            var disk = Prepare(isArchived);
            var rule = new FaultRule(FaultOperations.All, FaultKind.InputOutputError) { Nth = nth };
            var faulty = new FaultyFileSystem(disk, rule);
            try
            {
                KeyValueStore.Open(TestStore.Directory, Options(faulty, isArchived)).Dispose();
            }
            catch (AshlarException)
            {
                failed++;
                if (disk.OpenFiles > 0) return $"{disk.OpenFiles} files stay open where operation {nth} fails";
            }

            if (faulty.CountFired(rule) > 0) continue;
            Assert.True(failed > 10, $"only {failed} openings failed");
            return "";
        }
    }

    static SimulatedFileSystem Prepare(bool isArchived)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        using (var store = KeyValueStore.Open(TestStore.Directory, Options(disk, isArchived)))
        {
            for (var i = 0; i < 60; i++) store.Put($"{i:d3}", new string('x', 200));
            store.Flush();
            store.Put("last", "1");
        }

        Assert.Equal(0, disk.OpenFiles);
        return disk;
    }

    static KeyValueOptions Options(IFileSystem disk, bool isArchived) => TestStore.Small(disk) with
    {
        SpaceReserveBytes = 64 << 10,
        SeparatedValueBytes = 100,
        LogArchiveDirectory = isArchived ? "/archive" : null,
    };
}
