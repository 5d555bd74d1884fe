using Ashlar.Nbd.Tests.Client;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Nbd.Tests.Interop;

/// <summary>Programs that other people wrote, unchanged.</summary>
public sealed class RealClientTests : IAsyncLifetime
{
    const int ImageBytes = 64 << 20;
    readonly NbdFixture fixture = new();
    readonly TemporaryDirectory directory = new();

    [FactIfTool("nbdinfo")]
    public void Nbdinfo_reads_every_property()
    {
        var info = ExternalTool.Run("nbdinfo", fixture.Uri("disk")).MustSucceed();
        foreach (var property in new[]
                 {
                     "using structured packets", "description: a disk for tests", $"export-size: {ImageBytes}", "base:allocation",
                     "is_read_only: false", "can_cache: true", "can_df: true", "can_fast_zero: true", "can_flush: true",
                     "can_fua: true", "can_multi_conn: true", "can_trim: true", "can_zero: true", "block_size_minimum: 1",
                     "block_size_preferred: 4096", "block_size_maximum: 33554432",
                 })
            Assert.Contains(property, info, StringComparison.Ordinal);
    }

    // It asks two options about each export, and sends each in two parts, the second after the first was acknowledged.
    [FactIfTool("qemu-nbd")]
    public void Qemu_nbd_lists_a_thousand_exports()
    {
        const int exports = 1000;
        AddMore(exports - 1);
        var where = fixture.Server.EndPoint;
        var list = ExternalTool.Run("qemu-nbd", "--list", "-b", where.Address.ToString(), "-p", $"{where.Port}").MustSucceed();
        Assert.Equal(exports, list.Split(" export: '").Length - 1);
    }

    // Some of its options wait a fifth of a second in its own kernel for more to follow (MSG_MORE): the list takes longer than
    // the time that a handshake may stand still.
    [FactIfTool("nbdinfo")]
    public void Nbdinfo_lists_exports_for_longer_than_a_silent_client_may_wait()
    {
        const int exports = 80;
        AddMore(exports - 1);
        var list = ExternalTool.Run("nbdinfo", "--list", fixture.Uri("")).MustSucceed();
        Assert.Equal(exports, list.Split("export=\"").Length - 1);
    }

    [FactIfTool("qemu-img")]
    public void Qemu_img_converts_and_compares()
    {
        var image = new byte[ImageBytes];
        new SeededRandom(17).Fill(image.AsSpan(0, ImageBytes / 2));
        File.WriteAllBytes(directory["image"], image);
        QemuImage.Copy(directory["image"], fixture.Uri("disk"));
        Assert.Equal(image, fixture.Device.Bytes);
        Assert.True(QemuImage.AreEqual(directory["image"], fixture.Uri("disk")));
        fixture.Device.Bytes[12345] ^= 1;
        Assert.False(QemuImage.AreEqual(directory["image"], fixture.Uri("disk")));
    }

    [FactIfTool("qemu-io")]
    public void Qemu_io_writes_zeroes_discards_flushes_and_verifies()
    {
        var io = ExternalTool.Run(
            "qemu-io", "-f", "raw", fixture.Uri("disk"),
            "-c", "write -P 0xaa 4k 1M", "-c", "read -P 0xaa 4k 1M", "-c", "write -z 8k 8k", "-c", "read -P 0 8k 8k",
            "-c", "write -zu 64k 64k", "-c", "read -P 0 64k 64k", "-c", "write -f -P 7 100 333", "-c", "read -P 7 100 333",
            "-c", "aio_write -P 1 2M 1M", "-c", "aio_write -P 2 4M 1M", "-c", "aio_flush", "-c", "read -P 2 4M 1M",
            "-c", "discard 16k 8k", "-c", "flush").MustSucceed();
        Assert.DoesNotContain("failed", io, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(fixture.Device.Calls, call => call is { Kind: "trim", OffsetBytes: 16 << 10 });
        Assert.Contains(fixture.Device.Calls, call => call is { Kind: "flush" });
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
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
}
