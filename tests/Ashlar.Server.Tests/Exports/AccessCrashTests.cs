using Ashlar.Blocks;
using Ashlar.Server.Tests.Pools;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Server.Tests.Exports;

/// <summary>
/// Exports and reservations change, and the power fails: what was answered holds after it, what was not does or does not, and nothing
/// is there by halves.
/// </summary>
public sealed class AccessCrashTests
{
    const string Data = "/var/data", Secret = "twelve-bytes-or-more";

    static readonly Guid Volume = new(1, 0, 0, new byte[8]);

    static readonly Registrant One = new(ClientProtocol.Iscsi, "iqn.a,i,0x1", 1);

    [Fact]
    public async Task Power_may_fail_at_any_moment_while_access_changes()
    {
        var options = new CrashExplorerOptions { StateBudget = 400, NestedOneIn = 10, NestedBudget = 2, RandomSubsets = 2 };
        var result = await CrashExplorer.ExploreAsync(disk => WorkAsync(disk, disk), CheckAsync, options);
        if (options.Replay is not null) return;
        Assert.True(result is { Images: >= 20, Points: >= 30 }, result.ToString());
    }

    // The mistakes are planted below the server: syncs that are not there.
    [Theory]
    [InlineData("/var/data/system/exports/export-*", FaultOperations.Sync)]
    [InlineData("/var/data/system/exports/key*", FaultOperations.Sync)]
    [InlineData("/var/data/system/exports", FaultOperations.SyncDirectory)]
    [InlineData("/var/data/system/reservations/*", FaultOperations.Sync)]
    [InlineData("/var/data/system/reservations", FaultOperations.SyncDirectory)]
    public Task A_sync_that_is_missing_is_found(string path, FaultOperations operations) =>
        MissingSync.MustBeFoundAsync(WorkAsync, CheckAsync, path, operations, stateBudget: 400);

    static Task WorkAsync(SimulatedFileSystem disk, IFileSystem files)
    {
        disk.CreateDirectories("/var");
        using var directory = DataDirectory.Open(OptionsFor(files));
        directory.Keep();
        directory.BeginFirstStart(new(Guid.Empty, DateTimeOffset.UnixEpoch));
        directory.CompleteFirstStart();
        disk.RestartTrace();

        var exports = Open(directory, files);
        var reservations = new ReservationFiles(files, directory.ReservationsPath);
        exports.Create(new() { Name = "a", Volume = "vm1", Chap = new() { User = "host", Secret = Secret } }, Volume, "me");
        disk.Mark(Step.Created);
        exports.Change("a", new() { IsReadOnly = true }, "me");
        disk.Mark(Step.Changed);
        reservations.Of(Volume).Save(State(1, ReservationType.WriteExclusive));
        disk.Mark(Step.Reserved);
        reservations.Of(Volume).Save(State(2, ReservationType.ExclusiveAccess));
        disk.Mark(Step.Preempted);
        reservations.Of(Volume).Save(null);
        disk.Mark(Step.Released);
        exports.Delete("a", "me");
        disk.Mark(Step.Deleted);
        exports.Create(new() { Name = "b", Volume = "vm1" }, Volume, "me");
        disk.Mark(Step.CreatedAgain);
        return Task.CompletedTask;
    }

    static Task CheckAsync(CrashState state)
    {
        using var directory = DataDirectory.Open(OptionsFor(state.Disk));
        directory.Keep();
        var exports = Open(directory, state.Disk);
        var reserved = new ReservationFiles(state.Disk, directory.ReservationsPath).Of(Volume).Load();
        state.RecoveryDone();
        var last = state.Marks.OfType<Step>().LastOrDefault();
        var names = exports.All.Select(static export => export.Name).ToArray();
        if (last is >= Step.Created and < Step.Released) Assert.Equal(["a"], names);
        if (last == Step.CreatedAgain) Assert.Equal(["b"], names);
        Assert.DoesNotContain(exports.All, export => export.Record.Number > 2);
        foreach (var export in exports.All.Where(static export => export.Name == "a"))
        {
            Assert.Equal(Secret, System.Text.Encoding.UTF8.GetString(export.Account!.Secret));
            if (last >= Step.Changed) Assert.True(export.Record.IsReadOnly);
        }
        if (exports.All.FirstOrDefault(static export => export.Name == "b") is { } second) Assert.Equal(2ul, second.Record.Number);
        if (last < Step.Changed) Assert.Null(reserved);
        if (last == Step.Reserved) Assert.NotNull(reserved);
        if (last == Step.Preempted && reserved is not null) Assert.Equal(2u, reserved.Generation);
        if (last >= Step.Released) Assert.Null(reserved);
        return Task.CompletedTask;
    }

    static ServedExports Open(DataDirectory directory, IFileSystem files) => ServedExports.Open(directory, OptionsFor(files), _ => { });

    static ReservationState State(uint generation, ReservationType type) =>
        new() { Generation = generation, Registrations = [new(One, 7)], Type = type, Holder = One, IsPersistent = true };

    static ServerOptions OptionsFor(IFileSystem disk) => new()
    {
        DataDirectory = Data,
        FileSystem = disk,
        TimeProvider = new SimulatedClock(),
        Entropy = new SeededEntropy(1),
    };

    enum Step
    {
        None,
        Created,
        Changed,
        Reserved,
        Preempted,
        Released,
        Deleted,
        CreatedAgain,
    }
}
