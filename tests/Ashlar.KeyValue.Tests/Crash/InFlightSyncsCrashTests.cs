using System.Globalization;
using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>Power cuts while two flushes of the log are under way.</summary>
public sealed class InFlightSyncsCrashTests
{
    static readonly string[] Histories = ["base", "base first", "base first second"];

    [Theory, InlineData(0, false), InlineData(1, false), InlineData(0, true), InlineData(1, true)]
    public async Task What_was_acknowledged_survives_and_a_prefix_is_found(int returnFirst, bool oneFails) =>
        Explore(await Trace((returnFirst, oneFails)));

    [Theory]
    [InlineData(nameof(PlantedBugs.AcknowledgeByLaterFlush), 1, true)]
    [InlineData(nameof(PlantedBugs.DurableThroughBeforeSync), 0, false)]
    public async Task The_explorer_notices(string bug, int returnFirst, bool oneFails) =>
        Assert.True(await PlantedBugs.Named(bug).Run(IsNoticed, (returnFirst, oneFails)));

    static async Task<bool> IsNoticed((int ReturnFirst, bool OneFails) order)
    {
        var trace = await Trace(order);
        try
        {
            Explore(trace);
            return false;
        }
        catch (CrashCheckException)
        {
            return true;
        }
    }

    static async Task<SimulatedFileSystem> Trace((int ReturnFirst, bool OneFails) order)
    {
        using var overlap = new OverlappingWrites { FailingFlush = order.OneFails ? 0 : null };
        await overlap.RunTwo(order.ReturnFirst);
        return overlap.Disk;
    }

    static void Explore(SimulatedFileSystem disk) => CrashExplorer.Explore(disk, Check, new CrashExplorerOptions { Seed = 1, StateBudget = 2000, Replay = null });

    static void Check(CrashState state)
    {
        var acknowledged = state.Marks.OfType<Acknowledged>().Select(mark => mark.Key).ToArray();
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(state.Disk));
        state.RecoveryDone();
        var found = OverlappingWrites.KeysOf(store);
        if (acknowledged.Length == 0) return;
        if (!Histories.Contains(found)) throw new InvalidOperationException($"no prefix of history: {found}");
        foreach (var key in acknowledged)
        {
            if (store.Get(key) is null)
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{key} was acknowledged and is lost: {found}"));
        }
    }
}
