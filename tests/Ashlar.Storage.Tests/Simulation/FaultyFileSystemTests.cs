using Ashlar.Simulation;

namespace Ashlar.Storage.Tests.Simulation;

public sealed class FaultyFileSystemTests
{
    readonly SimulatedFileSystem inner = new();

    [Fact]
    public void Without_rules_nothing_fails()
    {
        var disk = new FaultyFileSystem(inner);
        using var file = disk.Open("/f", FileOpenMode.CreateNew);
        file.Write("data"u8, 0);
        file.Sync();
        disk.SyncDirectory("/");
        Assert.Equal("data", Read(file));
        Assert.Equal(0, disk.FiredCount);
    }

    [Theory]
    [InlineData(FaultKind.InputOutputError, StorageErrorKind.InputOutput)]
    [InlineData(FaultKind.NoSpace, StorageErrorKind.NoSpace)]
    [InlineData(FaultKind.ReadOnly, StorageErrorKind.AccessDenied)]
    public void The_nth_match_fails_once(FaultKind kind, StorageErrorKind expected)
    {
        var rule = new FaultRule(FaultOperations.Write, kind) { PathPattern = "/f*", Nth = 2 };
        var disk = new FaultyFileSystem(inner, rule);
        using var file = disk.Open("/file", FileOpenMode.CreateNew);
        using var other = disk.Open("/other", FileOpenMode.CreateNew);

        other.Write("x"u8, 0);
        file.Write("1"u8, 0);
        Assert.Equal(expected, Assert.Throws<StorageException>(() => file.Write("2"u8, 1)).Kind);
        file.Write("3"u8, 2);
        Assert.Equal("1\03", Read(file));
        Assert.Equal(1, disk.CountFired(rule));
        Assert.Equal(3, disk.CountMatches(rule));
    }

    [Fact]
    public void A_sticky_rule_fails_from_then_on_until_the_disk_is_healed()
    {
        var disk = new FaultyFileSystem(inner, new FaultRule(FaultOperations.Sync, FaultKind.InputOutputError) { IsSticky = true });
        using var file = disk.Open("/f", FileOpenMode.CreateNew);
        for (var i = 0; i < 3; i++) Assert.Throws<StorageException>(file.Sync);
        disk.Heal();
        file.Sync();
        Assert.Equal(3, disk.FiredCount);
    }

    [Theory]
    [InlineData(FaultKind.ShortWrite, StorageErrorKind.InputOutput)]
    [InlineData(FaultKind.NoSpaceHalfWay, StorageErrorKind.NoSpace)]
    public void A_short_write_leaves_a_part(FaultKind kind, StorageErrorKind expected)
    {
        var disk = new FaultyFileSystem(inner, new FaultRule(FaultOperations.Write, kind));
        using var file = disk.Open("/f", FileOpenMode.CreateNew);
        Assert.Equal(expected, Assert.Throws<StorageException>(() => file.Write("12345678"u8, 0)).Kind);
        Assert.Equal("1234", Read(file));
    }

    [Fact]
    public void A_lost_sync_drops_what_was_pending_and_then_succeeds()
    {
        var disk = new FaultyFileSystem(inner, new FaultRule(FaultOperations.Sync, FaultKind.LostSync) { Nth = 2 });
        using var file = disk.Open("/temporary", FileOpenMode.CreateNew);
        file.Write("durable"u8, 0);
        file.Sync();
        disk.Rename("/temporary", "/f");
        using var second = disk.Open("/f", FileOpenMode.Existing);
        second.Write("D"u8, 0);
        file.SetLength(3);
        file.Write("more"u8, 3);
        Assert.Throws<StorageException>(file.Sync);

        Assert.Equal("durable", Read(file));
        file.Sync();
        Assert.Equal("durable", Read(file));
    }

    [Fact]
    public void A_bit_flip_is_one_wrong_bit_in_what_is_read_and_nothing_else()
    {
        var disk = new FaultyFileSystem(inner, new FaultRule(FaultOperations.Read, FaultKind.BitFlip));
        using var file = disk.Open("/f", FileOpenMode.CreateNew);
        file.Write(new byte[100], 0);
        var buffer = new byte[100];
        file.Read(buffer, 0);
        Assert.Equal(1, buffer.Sum(value => System.Numerics.BitOperations.PopCount(value)));
        file.Read(buffer, 0);
        Assert.Equal(new byte[100], buffer);
    }

    [Fact]
    public void Every_operation_can_fail()
    {
        inner.CreateDirectory("/d");
        inner.Open("/f", FileOpenMode.CreateNew).Dispose();
        foreach (var operation in Enum.GetValues<FaultOperations>().Where(value => int.PopCount((int)value) == 1))
        {
            var disk = new FaultyFileSystem(inner);
            using var file = disk.Open("/f", FileOpenMode.Existing);
            using var held = disk.Lock("/HELD");
            disk.Add(new FaultRule(operation, FaultKind.InputOutputError) { IsSticky = true });
            Action[] calls =
            [
                () => disk.Open("/f", FileOpenMode.Existing).Dispose(), () => disk.FileExists("/f"), () => disk.List("/"),
                () => disk.CreateDirectory("/new"), () => disk.DeleteDirectory("/new"), () => disk.Rename("/f", "/f"),
                () => disk.Delete("/gone"), () => disk.SyncDirectory("/"), () => disk.Lock("/LOCK").Dispose(),
                () => disk.GetFreeSpaceBytes("/"), () => file.Read(new byte[1], 0), () => file.Write("1"u8, 0),
                () => file.SetLength(1), () => file.Allocate(0, 1), () => file.PunchHole(0, 1),
                () => file.ZeroRange(0, 1), () => file.StartWriteBack(0, 1), file.Sync,
                () => _ = file.LengthBytes, () => _ = held.IsInPlace,
            ];
            inner.Open("/gone", FileOpenMode.OpenOrCreate).Dispose();
            foreach (var call in calls)
            {
                try
                {
                    call();
                }
                catch (StorageException)
                {
                }
            }

            Assert.Equal(1, disk.FiredCount);
            if (inner.DirectoryExists("/new")) inner.DeleteDirectory("/new");
        }
    }

    [Fact]
    public void A_sweep_fails_each_operation_in_turn()
    {
        var failures = 0;
        var count = FaultSweep.Run(
            new FaultRule(FaultOperations.Changes, FaultKind.NoSpace),
            () => new SimulatedFileSystem(),
            disk =>
            {
                try
                {
                    using var file = disk.Open("/f", FileOpenMode.CreateNew);
                    file.Write("1"u8, 0);
                    file.Sync();
                    disk.SyncDirectory("/");
                }
                catch (StorageException)
                {
                    failures++;
                }
            });
        Assert.Equal(4, count);
        Assert.Equal(4, failures);
    }

    [Fact]
    public void A_sweep_says_which_operation_a_scenario_does_not_cope_with()
    {
        var error = Assert.Throws<FaultSweepException>(() => FaultSweep.Run(
            new FaultRule(FaultOperations.Sync, FaultKind.InputOutputError),
            () => new SimulatedFileSystem(),
            disk =>
            {
                using var file = disk.Open("/f", FileOpenMode.CreateNew);
                file.Sync();
            }));
        Assert.StartsWith("With operation 1 of Sync failing", error.Message, StringComparison.Ordinal);
    }

    static string Read(IFile file)
    {
        var bytes = new byte[file.LengthBytes];
        file.Read(bytes, 0);
        return System.Text.Encoding.ASCII.GetString(bytes);
    }
}
