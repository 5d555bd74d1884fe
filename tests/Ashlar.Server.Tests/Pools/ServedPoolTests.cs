using System.Collections.Concurrent;
using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Volumes;

namespace Ashlar.Server.Tests.Pools;

public sealed class ServedPoolTests : IAsyncLifetime
{
    readonly ConcurrentQueue<string> lines = new();
    readonly SimulatedClock clock = new();
    readonly FaultyFileSystem disk;
    Action<FaultOperations, string> beforeOperation = (_, _) => { };
    ServedPool pool = null!;
    bool hasFailed; // The device: closing says so.

    public ServedPoolTests() => disk = new(new SimulatedFileSystem(isRecording: false))
    {
        BeforeOperation = (operation, path) => beforeOperation(operation, path),
    };

    public async Task InitializeAsync()
    {
        var device = FileDevice.Create(disk, "/data", 4 << 20);
        var metadata = KeyValueStore.Open("/meta", new() { FileSystem = disk });
        await StoragePool.FormatAsync("main", device, metadata, new());
        var opened = await StoragePool.OpenAsync(device, metadata, new() { Observer = each => pool.Observe(each) });
        pool = new ServedPool(opened, entry => lines.Enqueue(entry.Message), clock);
        await pool.CreateAsync(new() { Name = "vm1", SizeBytes = 1 << 20 });
    }

    public async Task DisposeAsync()
    {
        if (hasFailed) await Assert.ThrowsAsync<DeviceIOException>(async () => await pool.DisposeAsync());
        else await pool.DisposeAsync();
    }

    [Fact]
    public void Clients_are_counted_by_protocol_until_they_leave()
    {
        var first = Open(ClientProtocol.Nbd);
        var second = Open(ClientProtocol.Nbd);
        var third = Open(ClientProtocol.Iscsi);
        Assert.Equal(new VolumeClients(2, 1), pool.ClientsOf("vm1"));
        first.Dispose();
        first.Dispose(); // A second time counts for nothing.
        third.Dispose();
        Assert.Equal(new VolumeClients(1, 0), pool.ClientsOf("vm1"));
        second.Dispose();
        Assert.Equal(new VolumeClients(0, 0), pool.AllClients());
    }

    [Fact]
    public void All_protocols_share_one_front() =>
        Assert.Same(Open(ClientProtocol.Nbd).Volume, Open(ClientProtocol.Iscsi).Volume);

    [Fact]
    public async Task A_volume_in_use_is_deleted_only_by_force()
    {
        using var lease = Open(ClientProtocol.Nbd);
        var error = await Assert.ThrowsAsync<ApiException>(() => pool.DeleteAsync("vm1", force: false));
        Assert.Equal(ProblemKind.InUse, error.Kind);
        Assert.Equal("volume main/vm1 is in use: 1 NBD client", error.Message);
        await pool.DeleteAsync("vm1", force: true);
        Assert.False(pool.TryAttach("vm1", ClientOf(ClientProtocol.Nbd), out _, out _));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_volume_is_not_opened_while_it_is_being_deleted(bool wasOpen)
    {
        if (wasOpen) Open(ClientProtocol.Nbd).Dispose();
        // The catalogue still has the volume when the log of its store is about to hear that it has not.
        var attempts = new ConcurrentQueue<(bool IsInCatalogue, bool IsAttached)>();
        beforeOperation = (operation, path) =>
        {
            if (operation != FaultOperations.Write || !path.StartsWith("/meta/log-", StringComparison.Ordinal)) return;
            attempts.Enqueue((pool.Find("vm1") is not null, pool.TryAttach("vm1", ClientOf(ClientProtocol.Iscsi), out _, out _)));
        };
        await pool.DeleteAsync("vm1", force: false);
        beforeOperation = (_, _) => { };
        Assert.Contains((true, false), attempts);
        Assert.DoesNotContain(attempts, attempt => attempt.IsAttached);
        Assert.Equal(new VolumeClients(0, 0), pool.AllClients());
    }

    [Fact]
    public async Task A_volume_is_not_deleted_twice_at_a_time_and_can_be_tried_again_when_that_failed()
    {
        Task? second = null;
        beforeOperation = (operation, path) =>
        {
            if (operation != FaultOperations.Write || !path.StartsWith("/meta/log-", StringComparison.Ordinal)) return;
            second ??= pool.DeleteAsync("vm1", force: true);
        };
        await pool.DeleteAsync("vm1", force: false);
        Assert.Equal(ProblemKind.VolumeNotFound, (await Assert.ThrowsAsync<ApiException>(() => second!)).Kind);
        beforeOperation = (_, _) => { };

        await pool.CreateAsync(new() { Name = "vm1", SizeBytes = 1 << 20 });
        using (Open(ClientProtocol.Nbd)) await Assert.ThrowsAsync<ApiException>(() => pool.DeleteAsync("vm1", force: false));
        await pool.DeleteAsync("vm1", force: false);
        Assert.Null(pool.Find("vm1"));
    }

    [Fact]
    public async Task Clients_of_a_volume_that_is_deleted_by_force_are_cut_off()
    {
        var session = Open(ClientProtocol.Nbd);
        await pool.DeleteAsync("vm1", force: true);
        var error = await Assert.ThrowsAsync<SessionFencedException>(async () => await session.WriteAsync(0, new byte[512]));
        Assert.Equal(FenceReason.VolumeDeleted, error.Reason);
        session.Dispose();
    }

    [Fact]
    public async Task A_volume_in_use_becomes_smaller_only_by_force()
    {
        using var session = Open(ClientProtocol.Iscsi);
        var request = new ChangeVolume { SizeBytes = 512 << 10, AllowShrink = true };
        var error = await Assert.ThrowsAsync<ApiException>(() => ChangeAsync("vm1", request));
        Assert.Equal("volume main/vm1 is in use: 1 iSCSI session", error.Message);
        await ChangeAsync("vm1", request with { Force = true });
        await ChangeAsync("vm1", new() { SizeBytes = 2 << 20 }); // Growing needs no force.
    }

    [Fact]
    public async Task Clients_hear_of_a_new_size()
    {
        using var session = Open(ClientProtocol.Iscsi);
        var changes = new List<VolumeEventKind>();
        session.Volume.Changed += (_, change) => changes.Add(change.Kind);
        await ChangeAsync("vm1", new() { SizeBytes = 1 << 20 }); // The size that it has.
        Assert.Empty(changes);
        await ChangeAsync("vm1", new() { SizeBytes = 2 << 20 });
        Assert.Equal([VolumeEventKind.CapacityChanged], changes);
    }

    [Fact]
    public async Task Limits_hold_for_those_who_are_attached_and_for_those_who_come()
    {
        using var attached = Open(ClientProtocol.Nbd);
        var changed = await ChangeAsync("vm1", new() { Limits = new(Iops: 500) });
        Assert.Equal(new RateLimits(Iops: 500), changed.Limits);
        Assert.Equal(new RateLimits(Iops: 500), attached.Volume.Limits);
        await ChangeAsync("vm1", new() { Limits = new(BytesPerSecond: 1000) }); // What is not named stays.
        Assert.Equal(new RateLimits(500, 1000), attached.Volume.Limits);
        await ChangeAsync("vm1", new() { Limits = new(Iops: 0) });
        Assert.Equal(new RateLimits(BytesPerSecond: 1000), attached.Volume.Limits);

        await pool.CreateAsync(new() { Name = "vm2", SizeBytes = 1 << 20, Limits = new(Iops: 7) });
        Assert.True(pool.TryAttach("vm2", ClientOf(ClientProtocol.Iscsi), out _, out var later));
        Assert.Equal(new RateLimits(Iops: 7), later.Volume.Limits);
        later.Dispose();
    }

    [Fact]
    public async Task A_change_is_all_valid_or_none_of_it_is_made()
    {
        var negative = new ChangeVolume { SizeBytes = 2 << 20, Limits = new(Iops: -1) };
        Assert.Equal(ProblemKind.InvalidRequest, (await Assert.ThrowsAsync<ApiException>(() => ChangeAsync("vm1", negative))).Kind);
        var smaller = new ChangeVolume { SizeBytes = 512 << 10, Limits = new(Iops: 5) };
        Assert.Equal(ProblemKind.WouldShrink, (await Assert.ThrowsAsync<ApiException>(() => ChangeAsync("vm1", smaller))).Kind);
        Assert.Equal(ProblemKind.InvalidRequest, (await Assert.ThrowsAsync<ApiException>(() => ChangeAsync("vm1", new()))).Kind);
        var volume = pool.Get("vm1");
        Assert.Equal((1 << 20, RateLimits.None), (volume.SizeBytes, volume.Limits));
    }

    [Fact]
    public async Task A_volume_in_use_is_renamed_only_by_force_and_its_clients_go_on()
    {
        using var session = Open(ClientProtocol.Nbd);
        var rename = new ChangeVolume { Name = "web1" };
        Assert.Equal(ProblemKind.InUse, (await Assert.ThrowsAsync<ApiException>(() => ChangeAsync("vm1", rename))).Kind);
        Assert.Equal("web1", (await ChangeAsync("vm1", rename with { Force = true })).Name);
        await session.WriteAsync(0, new byte[4096]);
        Assert.Null(pool.Find("vm1"));
        Assert.False(pool.TryAttach("vm1", ClientOf(ClientProtocol.Nbd), out _, out _));
        Assert.True(pool.TryAttach("web1", ClientOf(ClientProtocol.Iscsi), out _, out var second));
        Assert.Same(session.Volume, second.Volume);
        Assert.Equal(new VolumeClients(1, 1), pool.ClientsOf("web1"));
        second.Dispose();
        Assert.Contains("main/web1", lines.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_attaches_to_a_volume_while_it_gets_another_name()
    {
        Open(ClientProtocol.Nbd).Dispose(); // It has a front.
        var attached = new ConcurrentQueue<bool>();
        beforeOperation = (operation, path) =>
        {
            if (operation != FaultOperations.Write || !path.StartsWith("/meta/log-", StringComparison.Ordinal)) return;
            attached.Enqueue(pool.TryAttach("vm1", ClientOf(ClientProtocol.Nbd), out _, out _));
            attached.Enqueue(pool.TryAttach("web1", ClientOf(ClientProtocol.Iscsi), out _, out _));
        };
        await ChangeAsync("vm1", new() { Name = "web1" });
        beforeOperation = (_, _) => { };
        Assert.NotEmpty(attached);
        Assert.DoesNotContain(true, attached);
        Assert.Equal(new VolumeClients(0, 0), pool.AllClients());
        Assert.True(pool.TryAttach("web1", ClientOf(ClientProtocol.Nbd), out _, out _));
    }

    [Fact]
    public async Task Who_comes_before_a_volume_has_become_smaller_is_turned_away_rather_than_cut_off()
    {
        await pool.CreateAsync(new() { Name = "thick", SizeBytes = 1 << 20, IsThick = true });
        Task? shrinking = null;
        var attached = new List<bool>();
        WhileItGrows(() =>
        {
            // It waits for the growth to end, and has seen that nobody is attached.
            shrinking = ChangeAsync("thick", new() { SizeBytes = 512 << 10, AllowShrink = true });
            attached.Add(pool.TryAttach("thick", ClientOf(ClientProtocol.Nbd), out _, out _));
        });
        await ChangeAsync("thick", new() { SizeBytes = 2 << 20 });
        await shrinking!;
        Assert.Equal([false], attached);
        Assert.True(pool.TryAttach("thick", ClientOf(ClientProtocol.Nbd), out _, out var session));
        Assert.Equal(512 << 10, session.SizeBytes);
        session.Dispose();
    }

    [Fact]
    public async Task A_growth_that_has_become_a_shrinking_meanwhile_cuts_nobody_off()
    {
        await pool.CreateAsync(new() { Name = "thick", SizeBytes = 1 << 20, IsThick = true });
        Assert.True(pool.TryAttach("thick", ClientOf(ClientProtocol.Nbd), out _, out var session));
        Task? second = null;
        WhileItGrows(() => second = ChangeAsync("thick", new() { SizeBytes = 3 << 19, AllowShrink = true })); // Larger, for now.
        await ChangeAsync("thick", new() { SizeBytes = 2 << 20 });
        var error = await Assert.ThrowsAsync<ApiException>(() => second!);
        Assert.Equal(ProblemKind.WouldShrink, error.Kind);
        Assert.Equal("volume main/thick has 2097152 bytes; 1572864 would cut off what lies beyond", error.Message);
        Assert.Equal(2 << 20, session.SizeBytes);
        session.Dispose();
    }

    [Fact]
    public async Task A_volume_that_is_renamed_while_it_grows_is_changed_to_the_end()
    {
        await pool.CreateAsync(new() { Name = "thick", SizeBytes = 1 << 20, IsThick = true });
        Assert.True(pool.TryAttach("thick", ClientOf(ClientProtocol.Iscsi), out var volume, out var session));
        var told = new ConcurrentQueue<VolumeEventKind>();
        volume.Front.Changed += (_, change) => told.Enqueue(change.Kind);
        WhileItGrows(() => Task.Run(async () =>
        {
            await ChangeAsync("thick", new() { Name = "web1", Force = true });
            await pool.CreateAsync(new() { Name = "thick", SizeBytes = 1 << 20 }); // Another one, which is none of its business.
        }).Wait(TimeSpan.FromMinutes(1)));
        var changed = await ChangeAsync("thick", new() { SizeBytes = 2 << 20, Limits = new(Iops: 7) });
        Assert.Equal(("web1", 2 << 20, new RateLimits(Iops: 7)), (changed.Name, changed.SizeBytes, changed.Limits));
        Assert.Equal(new RateLimits(Iops: 7), volume.Front.Limits);
        Assert.Equal([VolumeEventKind.CapacityChanged], told);
        Assert.Equal(RateLimits.None, pool.Get("thick").Limits);
        session.Dispose();
    }

    [Fact]
    public async Task Each_change_is_told_with_who_made_it_also_where_the_next_one_fails()
    {
        await pool.CreateAsync(new() { Name = "thick", SizeBytes = 1 << 20, IsThick = true });
        WhileItGrows(() => Task.Run(async () =>
        {
            await pool.ChangeAsync("thick", new() { Limits = new(Iops: 7) }, "second");
            await pool.CreateAsync(new() { Name = "web1", SizeBytes = 1 << 20 });
        }).Wait(TimeSpan.FromMinutes(1)));
        var error = await Assert.ThrowsAsync<ApiException>(
            () => pool.ChangeAsync("thick", new() { SizeBytes = 2 << 20, Limits = new(Iops: 7), Name = "web1" }, "first"));
        Assert.Equal(ProblemKind.Exists, error.Kind);
        await pool.ChangeAsync("thick", new() { Name = "web2" }, "third");
        Assert.Equal(
            [
                "volume main/thick: limits changed: 7 requests a second, bytes without a limit, by second",
                "volume main/thick: grown from 1048576 to 2097152 bytes, by first",
                "volume main/web2: renamed from thick, by third",
            ],
            lines);
    }

    [Fact]
    public async Task A_new_name_that_is_not_valid_or_taken_is_refused_before_anything_is_changed()
    {
        await pool.CreateAsync(new() { Name = "vm2", SizeBytes = 1 << 20 });
        var taken = new ChangeVolume { Name = "vm2", SizeBytes = 2 << 20 };
        Assert.Equal(ProblemKind.Exists, (await Assert.ThrowsAsync<ApiException>(() => ChangeAsync("vm1", taken))).Kind);
        await Assert.ThrowsAsync<VolumeNameException>(() => ChangeAsync("vm1", taken with { Name = "A b" }));
        Assert.Equal(1 << 20, pool.Get("vm1").SizeBytes);
        Assert.Equal(("vm1", 2 << 20), ((await ChangeAsync("vm1", taken with { Name = "vm1" })).Name, pool.Get("vm1").SizeBytes));
    }

    [Fact]
    public async Task Clients_of_thin_volumes_hear_once_that_space_gets_short_and_once_that_it_gets_shorter()
    {
        await pool.CreateAsync(new() { Name = "thick", SizeBytes = 512 << 10, IsThick = true });
        using var session = Open(ClientProtocol.Nbd);
        Assert.True(pool.TryAttach("thick", ClientOf(ClientProtocol.Nbd), out _, out var thick));
        var (told, toldThick) = (new List<VolumeEventKind>(), new List<VolumeEventKind>());
        session.Volume.Changed += (_, change) => told.Add(change.Kind);
        thick.Volume.Changed += (_, change) => toldThick.Add(change.Kind);
        await FillAsync(0.82);
        Look();
        Look();
        Assert.Equal([VolumeEventKind.SpaceRunsShort], told);
        Assert.Contains("pool main is 8", Assert.Single(PoolLines()), StringComparison.Ordinal);
        await FillAsync(0.92);
        Look();
        Assert.Equal(2, told.Count);
        Assert.Equal(2, PoolLines().Count);
        Assert.Empty(toldThick);

        await pool.DeleteAsync("filling", force: false);
        Assert.True(SpinWait.SpinUntil(() => pool.Statistics.Deletions.Volumes == 0, TimeSpan.FromMinutes(1)), "the volume is still going");
        Look();
        Assert.Contains("has room again", lines.Last(), StringComparison.Ordinal);
        Assert.Equal(2, told.Count);
        thick.Dispose();
    }

    [Fact]
    public void Fullness_that_falls_a_little_below_a_threshold_is_no_relief()
    {
        PoolUsage Full(int percent) => new(100, percent, 0);
        Assert.Equal(SpaceShortage.None, SpaceShortages.Of(Full(79), new()));
        Assert.Equal(SpaceShortage.Soft, SpaceShortages.Of(Full(80), new()));
        Assert.Equal(SpaceShortage.Soft, SpaceShortages.Of(Full(76), new(), before: SpaceShortage.Soft));
        Assert.Equal(SpaceShortage.None, SpaceShortages.Of(Full(74), new(), before: SpaceShortage.Soft));
        Assert.Equal(SpaceShortage.Hard, SpaceShortages.Of(Full(90), new(), before: SpaceShortage.Soft));
        Assert.Equal(SpaceShortage.Hard, SpaceShortages.Of(Full(86), new(), before: SpaceShortage.Hard));
        Assert.Equal(SpaceShortage.Soft, SpaceShortages.Of(Full(84), new(), before: SpaceShortage.Hard));
        Assert.Equal(SpaceShortage.Hard, SpaceShortages.Of(Full(0) with { FreeSpaceBelowBytes = 1 }, new()));
        Assert.Equal(SpaceShortage.Soft, SpaceShortages.Of(Full(30), new() { SoftPercent = 30, HardPercent = 100 }));
        Assert.Equal(SpaceShortage.Hard, SpaceShortages.Of(Full(100), new() { SoftPercent = 30, HardPercent = 100 }));
    }

    [Fact]
    public async Task Clients_hear_that_their_pool_has_failed()
    {
        using var session = Open(ClientProtocol.Nbd);
        var told = new TaskCompletionSource<VolumeEventArgs>(TaskCreationOptions.RunContinuationsAsynchronously);
        session.Volume.Changed += (_, change) => told.TrySetResult(change);
        await session.WriteAsync(0, new SeededRandom(1).Bytes(4096));
        disk.Add(new FaultRule(FaultOperations.Sync, FaultKind.InputOutputError) { PathPattern = "/data" });
        await Assert.ThrowsAsync<DeviceIOException>(async () => await session.FlushAsync());
        var change = await told.Task;
        Assert.Equal(VolumeEventKind.Failed, change.Kind);
        Assert.NotNull(change.Error);
        hasFailed = true;
    }

    [Fact]
    public void Who_comes_and_goes_is_a_line_each()
    {
        Assert.True(pool.TryAttach("vm1", new(ClientProtocol.Iscsi, "iqn.test:a,i,0x1", "192.0.2.1:4711"), out _, out var session));
        session.Dispose();
        Open(ClientProtocol.Nbd).Dispose();
        Assert.Equal(
            [
                "iscsi: iqn.test:a,i,0x1 at 192.0.2.1:4711 connected to main/vm1",
                "iscsi: iqn.test:a,i,0x1 at 192.0.2.1:4711 disconnected from main/vm1 "
                    + "after 0.0 s: 0 reads of 0 bytes, 0 writes of 0 bytes, 0 failed requests",
                "nbd: 192.0.2.1:4711 connected to main/vm1",
                "nbd: 192.0.2.1:4711 disconnected from main/vm1 "
                    + "after 0.0 s: 0 reads of 0 bytes, 0 writes of 0 bytes, 0 failed requests",
            ],
            lines);
    }

    [Fact]
    public async Task A_new_volume_of_an_old_name_is_another_volume()
    {
        Assert.True(pool.TryAttach("vm1", ClientOf(ClientProtocol.Nbd), out var old, out _));
        await pool.DeleteAsync("vm1", force: true);
        await pool.CreateAsync(new() { Name = "vm1", SizeBytes = 1 << 20 });
        Assert.True(pool.TryAttach("vm1", ClientOf(ClientProtocol.Nbd), out var anew, out _));
        Assert.NotEqual(old.Id, anew.Id);
        Assert.Equal(new VolumeClients(1, 0), pool.ClientsOf("vm1"));
    }

    [Fact]
    public void What_is_not_there_is_not_opened() =>
        Assert.False(pool.TryAttach("vm2", ClientOf(ClientProtocol.Nbd), out _, out _));

    [Theory]
    [InlineData("vm1", "main", "vm1")]
    [InlineData("main/vm1", "main", "vm1")]
    [InlineData("tank/vm1", "tank", "vm1")]
    [InlineData("", "main", "")]
    public void An_nbd_export_name_is_a_path(string name, string poolName, string volume) =>
        Assert.Equal((poolName, volume), ExportNames.ParseNbd(name));

    [Theory]
    [InlineData("iqn.2026-11.io.ashlar:main.vm1", "main", "vm1")]
    [InlineData("iqn.2026-11.io.ashlar:main.vm1.data", "main", "vm1.data")]
    public void An_iscsi_name_holds_pool_and_volume(string name, string poolName, string volume)
    {
        Assert.Equal((poolName, volume), ExportNames.ParseIscsiTarget(name));
        Assert.Equal(name, ExportNames.IscsiTarget(poolName, volume));
    }

    [Theory]
    [InlineData("iqn.2026-11.io.ashlar:main")]
    [InlineData("iqn.2001-04.com.example:main.vm1")]
    [InlineData("")]
    public void A_foreign_iscsi_name_is_none_of_ours(string name) => Assert.Null(ExportNames.ParseIscsiTarget(name));

    IReadOnlyList<string> PoolLines() => [.. lines.Where(line => line.StartsWith("pool ", StringComparison.Ordinal))];

    void Look() => clock.Advance(SpaceWatch.Interval);

    /// <summary>Writes to a volume of its own until the pool is so full.</summary>
    async Task FillAsync(double fullness)
    {
        if (pool.Find("filling") is null) await pool.CreateAsync(new() { Name = "filling", SizeBytes = 4 << 20 });
        Assert.True(pool.TryAttach("filling", ClientOf(ClientProtocol.Nbd), out _, out var session));
        using (session)
        {
            const int chunk = 64 << 10;
            for (var offset = 0; pool.Usage.AllocatedBytes < fullness * pool.Usage.CapacityBytes; offset += chunk)
                await session.WriteAsync(offset, new SeededRandom((ulong)offset).Bytes(chunk));
            await session.FlushAsync();
        }
    }

    /// <summary>Does something, once, when the next thick volume is about to take space of the disk.</summary>
    void WhileItGrows(Action action)
    {
        var isDone = 0;
        beforeOperation = (operation, path) =>
        {
            if (operation == FaultOperations.Allocate && path == "/data" && Interlocked.Exchange(ref isDone, 1) == 0) action();
        };
    }

    Task<VolumeInfo> ChangeAsync(string name, ChangeVolume request) => pool.ChangeAsync(name, request, "192.0.2.1:4711");

    static ClientIdentity ClientOf(ClientProtocol protocol) => new(protocol, "192.0.2.1:4711", "192.0.2.1:4711");

    ClientSession Open(ClientProtocol protocol)
    {
        Assert.True(pool.TryAttach("vm1", ClientOf(protocol), out _, out var session));
        return session;
    }
}
