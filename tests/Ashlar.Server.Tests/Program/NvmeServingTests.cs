using System.Net;
using System.Text;
using Ashlar.Nvme;
using Ashlar.Nvme.Tests;

namespace Ashlar.Server.Tests.Program;

/// <summary>Volumes and snapshots of a running server over NVMe.</summary>
public sealed class NvmeServingTests
{
    const string Volume = "nqn.2026-11.io.ashlar:main.vm1";

    [Fact]
    public async Task A_host_finds_a_volume_writes_it_and_is_shown_until_it_is_deleted_by_force()
    {
        await using var server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "1GiB");
        var endPoint = IPEndPoint.Parse(server.Status.Endpoints.Nvme!);
        using (var discovery = Associate(endPoint, NvmeNames.Discovery))
            Assert.Equal(Volume, Encoding.ASCII.GetString(discovery.Log(LogPage.Discovery, 2048).MustSucceed().Data, 1280, Volume.Length));
        using var admin = Associate(endPoint, Volume);
        using var queue = Join(endPoint, admin, Volume);
        var pattern = NvmeHost.Pattern(1 << 20);
        queue.Write(2048, pattern).MustSucceed();
        Assert.Equal(pattern, queue.Read(2048, 2048).MustSucceed().Data);

        var shown = (await server.CallAsync("volume", "show", "vm1", "-o", "json")).OutJson;
        Assert.Equal(1, shown.GetProperty("clients").GetProperty("nvme").GetInt32());
        Assert.Equal(Volume, shown.GetProperty("addresses").GetProperty("nvmeSubsystem").GetString());
        Assert.Equal("nvme", shown.GetProperty("sessions")[0].GetProperty("protocol").GetString());
        Assert.Equal(NvmeHost.HostName, shown.GetProperty("sessions")[0].GetProperty("client").GetString());
        Assert.Contains($"{endPoint}, 1 host\n", (await server.CallAsync("status")).Out, StringComparison.Ordinal);
        var id = shown.GetProperty("id").GetGuid();
        Assert.Equal(id.ToByteArray(bigEndian: true), admin.Identify(0, 1).MustSucceed().Data[104..120]);

        admin.Admin(AdminOpcode.SetFeatures, 0x0B, 1 << 8).MustSucceed();
        var request = admin.Submit(admin.Entry((byte)AdminOpcode.AsynchronousEventRequest, 0));
        await server.CallAsync("volume", "resize", "vm1", "--size", "2GiB");
        admin.Finish(request).MustSucceed();
        queue.Read(4 * 1024 * 1024 - 1, 1).MustSucceed();

        var refused = await server.CallAsync("volume", "delete", "vm1", "--yes");
        Assert.StartsWith("error: volume vm1 is in use: 1 NVMe\n", refused.Error, StringComparison.Ordinal);
        await server.CallAsync("volume", "delete", "vm1", "--yes", "--force");
        queue.MustBeClosed();
        admin.MustBeClosed();
        using var late = NvmeHost.Dial(endPoint, default);
        late.Connect(0, Volume).MustFail(NvmeStatus.ConnectInvalidParameters);
        await server.StopAsync();
        Assert.Contains($"nvme: {NvmeHost.HostName} at ", server.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(" at Ashlar.", server.Log, StringComparison.Ordinal); // No stack trace.
    }

    [Fact]
    public async Task A_snapshot_is_another_disk_that_nobody_writes()
    {
        await using var server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "64MiB", "--block-size", "4096");
        var endPoint = IPEndPoint.Parse(server.Status.Endpoints.Nvme!);
        using var admin = Associate(endPoint, Volume);
        using var queue = Join(endPoint, admin, Volume);
        var before = NvmeHost.Pattern(8192, 1);
        queue.Write(0, before, 4096).MustSucceed();
        await server.CallAsync("snapshot", "create", "vm1@monday");
        queue.Write(0, NvmeHost.Pattern(8192, 2), 4096).MustSucceed();

        using var reader = Associate(endPoint, $"{Volume}:monday");
        using var snapshot = Join(endPoint, reader, $"{Volume}:monday");
        Assert.Equal(before, snapshot.Read(0, 2, 4096).MustSucceed().Data);
        snapshot.Write(0, before, 4096).MustFail(NvmeStatus.NamespaceWriteProtected);
        var (ofVolume, ofSnapshot) = (admin.Identify(0, 1).MustSucceed().Data, reader.Identify(0, 1).MustSucceed().Data);
        Assert.Equal((0, 1), (ofVolume[99], ofSnapshot[99]));
        Assert.NotEqual(ofVolume[104..120], ofSnapshot[104..120]);
        using var discovery = Associate(endPoint, NvmeNames.Discovery);
        Assert.Equal(1, discovery.Log(LogPage.Discovery, 1024).MustSucceed().Data[8]);
        snapshot.Dispose();
        reader.Dispose();
    }

    [Theory]
    [InlineData("nqn.2026-11.io.ashlar:main.none")]
    [InlineData("nqn.2026-11.io.ashlar:none.vm1")]
    [InlineData("nqn.2026-11.io.ashlar:main.vm1:none")]
    [InlineData("nqn.2026-11.io.ashlar:main")]
    [InlineData("nqn.2014-08.com.example:main.vm1")]
    public async Task What_is_no_volume_is_no_subsystem(string name)
    {
        await using var server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "1MiB");
        using var host = NvmeHost.Dial(IPEndPoint.Parse(server.Status.Endpoints.Nvme!), default);
        host.Connect(0, name).MustFail(NvmeStatus.ConnectInvalidParameters);
        host.Connect(0, Volume).MustSucceed();
    }

    static NvmeHost Associate(IPEndPoint endPoint, string name)
    {
        var host = NvmeHost.Dial(endPoint, default);
        host.Connect(0, name).MustSucceed();
        host.Enable();
        return host;
    }

    static NvmeHost Join(IPEndPoint endPoint, NvmeHost admin, string name)
    {
        var host = NvmeHost.Dial(endPoint, default);
        host.Connect(1, name, admin.ControllerId).MustSucceed();
        return host;
    }
}
