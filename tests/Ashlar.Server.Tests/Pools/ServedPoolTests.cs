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
    ServedPool pool = null!;

    public async Task InitializeAsync()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var device = FileDevice.Create(disk, "/data", 4 << 20);
        var metadata = KeyValueStore.Open("/meta", new() { FileSystem = disk });
        await StoragePool.FormatAsync("main", device, metadata, new());
        var opened = await StoragePool.OpenAsync(device, metadata, new());
        pool = new ServedPool(opened, lines.Enqueue, TimeProvider.System);
        await pool.CreateAsync(new() { Name = "vm1", SizeBytes = 1 << 20 });
    }

    public async Task DisposeAsync() => await pool.DisposeAsync();

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
        var error = await Assert.ThrowsAsync<ApiException>(() => pool.ResizeAsync("vm1", request));
        Assert.Equal("volume main/vm1 is in use: 1 iSCSI session", error.Message);
        await pool.ResizeAsync("vm1", request with { Force = true });
        await pool.ResizeAsync("vm1", new() { SizeBytes = 2 << 20 }); // Growing needs no force.
    }

    [Fact]
    public async Task Clients_hear_of_a_new_size()
    {
        using var session = Open(ClientProtocol.Iscsi);
        var changes = new List<VolumeEventKind>();
        session.Volume.Changed += (_, change) => changes.Add(change.Kind);
        await pool.ResizeAsync("vm1", new() { SizeBytes = 1 << 20 }); // The size that it has.
        Assert.Empty(changes);
        await pool.ResizeAsync("vm1", new() { SizeBytes = 2 << 20 });
        Assert.Equal([VolumeEventKind.CapacityChanged], changes);
    }

    [Fact]
    public void Who_comes_and_goes_is_a_line_each()
    {
        Assert.True(pool.TryAttach("vm1", new(ClientProtocol.Iscsi, "iqn.test:a,i,0x1", "192.0.2.1:4711"), out _, out var session));
        session.Dispose();
        Open(ClientProtocol.Nbd).Dispose();
        Assert.Equal(
            [
                "iscsi: iqn.test:a,i,0x1 at 192.0.2.1:4711 uses main/vm1",
                "iscsi: iqn.test:a,i,0x1 at 192.0.2.1:4711 has left main/vm1",
                "nbd: 192.0.2.1:4711 uses main/vm1",
                "nbd: 192.0.2.1:4711 has left main/vm1",
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

    static ClientIdentity ClientOf(ClientProtocol protocol) => new(protocol, "192.0.2.1:4711", "192.0.2.1:4711");

    ClientSession Open(ClientProtocol protocol)
    {
        Assert.True(pool.TryAttach("vm1", ClientOf(protocol), out _, out var session));
        return session;
    }
}
