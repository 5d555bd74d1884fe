using Ashlar.Nbd.Tests.Client;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Nbd.Tests.Interop;

/// <summary>Programs that other people wrote, unchanged.</summary>
public sealed class RealClientTests : IAsyncDisposable
{
    const int ImageBytes = 64 << 20;
    readonly NbdFixture fixture = new();
    readonly TemporaryDirectory directory = new();

    [FactIfTool("nbdinfo")]
    public async Task Nbdinfo_reads_every_property()
    {
        var info = await Succeed("nbdinfo", fixture.Uri("disk"));
        foreach (var property in new[]
                 {
                     "using structured packets", "description: a disk for tests", $"export-size: {ImageBytes}", "base:allocation",
                     "is_read_only: false", "can_cache: true", "can_df: true", "can_fast_zero: true", "can_flush: true",
                     "can_fua: true", "can_multi_conn: true", "can_trim: true", "can_zero: true", "block_size_minimum: 1",
                     "block_size_preferred: 4096", "block_size_maximum: 33554432",
                 })
            Assert.Contains(property, info.Output);
    }

    [FactIfTool("nbdinfo")]
    public async Task Nbdinfo_lists_exports_and_maps_extents()
    {
        fixture.Add("second", new TestDevice(1 << 20));
        var list = await Succeed("nbdinfo", "--list", fixture.Uri(""));
        Assert.Contains("export=\"disk\"", list.Output);
        Assert.Contains("export=\"second\"", list.Output);
        var map = await Succeed("nbdinfo", "--map", fixture.Uri("second"));
        Assert.Contains($"0     {1 << 20}    0  data", map.Output);
    }

    // It asks two options about each export, and sends each in two parts, the second after the first was acknowledged.
    [FactIfTool("qemu-nbd")]
    public async Task Qemu_nbd_lists_a_thousand_exports()
    {
        const int exports = 1000;
        AddMore(exports - 1);
        var where = fixture.Server.EndPoint;
        var list = await Succeed("qemu-nbd", "--list", "-b", where.Address.ToString(), "-p", $"{where.Port}");
        Assert.Equal(exports, list.Output.Split(" export: '").Length - 1);
    }

    // Some of its options wait a fifth of a second in its own kernel for more to follow (MSG_MORE): the list takes longer than
    // the time that a handshake may stand still.
    [FactIfTool("nbdinfo")]
    public async Task Nbdinfo_lists_exports_for_longer_than_a_silent_client_may_wait()
    {
        const int exports = 80;
        AddMore(exports - 1);
        var list = await Succeed("nbdinfo", "--list", fixture.Uri(""));
        Assert.Equal(exports, list.Output.Split("export=\"").Length - 1);
    }

    [FactIfTool("nbdcopy")]
    public async Task Nbdcopy_copies_in_and_out_over_several_connections()
    {
        var source = await RandomImage("source");
        await Succeed("nbdcopy", "--flush", "--connections=4", source, fixture.Uri("disk"));
        await Succeed("nbdcopy", "--connections=4", fixture.Uri("disk"), directory["copy"]);
        Assert.Equal(await File.ReadAllBytesAsync(source), fixture.Device.Bytes);
        Assert.Equal(await File.ReadAllBytesAsync(source), await File.ReadAllBytesAsync(directory["copy"]));
    }

    [FactIfTool("qemu-img")]
    public async Task Qemu_img_converts_and_compares()
    {
        var source = await RandomImage("source");
        await Succeed("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", source, fixture.Uri("disk"));
        await Succeed("qemu-img", "compare", "-f", "raw", "-F", "raw", source, fixture.Uri("disk"));
        fixture.Device.Bytes[12345] ^= 1;
        var different = await ExternalTool.RunAsync("qemu-img", "compare", "-f", "raw", "-F", "raw", source, fixture.Uri("disk"));
        Assert.Equal(1, different.ExitCode);
    }

    [FactIfTool("qemu-io")]
    public async Task Qemu_io_writes_zeroes_discards_flushes_and_verifies()
    {
        var io = await Succeed(
            "qemu-io", "-f", "raw", fixture.Uri("disk"),
            "-c", "write -P 0xaa 4k 1M", "-c", "read -P 0xaa 4k 1M", "-c", "write -z 8k 8k", "-c", "read -P 0 8k 8k",
            "-c", "write -zu 64k 64k", "-c", "read -P 0 64k 64k", "-c", "write -f -P 7 100 333", "-c", "read -P 7 100 333",
            "-c", "aio_write -P 1 2M 1M", "-c", "aio_write -P 2 4M 1M", "-c", "aio_flush", "-c", "read -P 2 4M 1M",
            "-c", "discard 16k 8k", "-c", "flush");
        Assert.DoesNotContain("failed", io.ToString());
        Assert.Contains(fixture.Device.Calls, call => call is { Kind: "trim", OffsetBytes: 16 << 10 });
        Assert.Contains(fixture.Device.Calls, call => call is { Kind: "flush" });
    }

    public async ValueTask DisposeAsync()
    {
        Assert.Empty(fixture.Reports);
        await fixture.DisposeAsync();
        directory.Dispose();
    }

    void AddMore(int count)
    {
        var device = new TestDevice(1 << 20);
        for (var i = 1; i <= count; i++) fixture.Add($"volume{i:D4}", device);
    }

    async Task<string> RandomImage(string name)
    {
        var bytes = new byte[ImageBytes];
        new SeededRandom(17).Fill(bytes.AsSpan(0, ImageBytes / 2));
        await File.WriteAllBytesAsync(directory[name], bytes);
        return directory[name];
    }

    static async Task<ToolResult> Succeed(string tool, params string[] arguments)
    {
        var result = await ExternalTool.RunAsync(tool, arguments);
        Assert.True(result.ExitCode == 0, $"{tool} {string.Join(' ', arguments)}: {result}");
        return result;
    }
}
