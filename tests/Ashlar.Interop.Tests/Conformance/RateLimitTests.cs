using System.Diagnostics;
using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Conformance;

/// <summary>Clients of both protocols together get no more of a volume than its limits allow, and all of it.</summary>
public sealed class RateLimitTests : IDisposable
{
    const int Iops = 40;

    readonly TemporaryDirectory directory = TemporaryDirectory.OnDisk();
    readonly AshlarProcess server;

    public RateLimitTests()
    {
        server = new(directory["data"], "1GiB");
        server.Start();
        server.CreateVolume("vm1", "64MiB");
    }

    [FactIfTool("qemu-img", "qemu-block-iscsi")]
    public async Task Qemu_over_nbd_and_iscsi_shares_one_limit()
    {
        const int requests = 80;
        server.Command("volume", "limit", "vm1", "--limit-iops", $"{Iops}");
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(
            Task.Run(() => Bench(server.NbdUri("vm1"), requests).MustSucceed()),
            Task.Run(() => Bench(server.IscsiUrl("vm1"), requests).MustSucceed()));
        // What a client reads before it begins comes on top; one second's worth was there at once.
        var least = TimeSpan.FromSeconds(((2.0 * requests) / Iops) - 1);
        Assert.True(Stopwatch.GetElapsedTime(start) >= least, $"{Stopwatch.GetElapsedTime(start)} for {2 * requests} requests");
    }

    [FactIfTool("qemu-img")]
    public void A_stream_keeps_to_the_bandwidth()
    {
        server.Command("volume", "limit", "vm1", "--limit-bandwidth", "4MiB");
        var start = Stopwatch.GetTimestamp();
        ExternalTool.Run("qemu-img", "bench", "-f", "raw", "-w", "-c", "12", "-d", "4", "-s", "1048576", server.NbdUri("vm1"))
            .MustSucceed();
        Assert.True(Stopwatch.GetElapsedTime(start) >= TimeSpan.FromSeconds(2), $"{Stopwatch.GetElapsedTime(start)} for 12 MiB");
    }

    public void Dispose()
    {
        server.Dispose();
        directory.Dispose();
    }

    static ToolResult Bench(string address, int requests) =>
        ExternalTool.Run("qemu-img", "bench", "-f", "raw", "-w", "-c", $"{requests}", "-d", "8", "-s", "4096", address);
}
