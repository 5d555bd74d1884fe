using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// What the background owes is measured by looking at files. Where one of them cannot be looked at, nothing else suffers.
/// </summary>
public sealed class FailedMeasureTests
{
    [Fact]
    public void A_file_that_cannot_be_looked_at_while_debt_is_measured_fails_no_work_and_keeps_no_other_in_place()
    {
        var disk = TestStore.NewDisk();
        KeyValueStore store = null!;
        FaultyFileSystem faulty = null!;
        FaultRule? rule = null;
        var isArmed = false;
        faulty = new FaultyFileSystem(disk)
        {
            BeforeOperation = (operation, path) =>
            {
                if (!isArmed || operation != FaultOperations.Open || !path.Contains("table-", StringComparison.Ordinal)) return;
                isArmed = false;
                store.Put("written during the merge", "1");
                var newest = disk.List(TestStore.Directory).Last(name => name.StartsWith("log-", StringComparison.Ordinal));
                rule = new FaultRule(FaultOperations.Length, FaultKind.InputOutputError) { PathPattern = $"*{newest}", IsSticky = true };
                faulty.Add(rule);
            },
        };
        using var opened = store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(faulty) with
        {
            LogSegmentBytes = 4096,
            SeparatedValueBytes = 100,
            SpaceAmplification = 1.1,
            InlineMerges = 1,
        });
        for (var i = 0; i < 300; i++) store.Put($"{i % 7}", new string('x', 400));
        store.Flush();
        isArmed = true;
        store.Compact();
        Assert.True(rule is not null && faulty.CountFired(rule) > 0, "nothing was measured");
        faulty.Heal();
        Assert.Equal("1", store.Get("written during the merge"));
        store.Compact();
        Assert.Equal(0, store.GetStatistics().KeptFiles);
    }
}
