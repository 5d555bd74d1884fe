using Ashlar.Scsi.Tests;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Iscsi.Tests;

/// <summary>Programs that others wrote, where they are installed.</summary>
public sealed class RealClientTests : IAsyncLifetime
{
    const int SizeMiB = 16;

    readonly TestTarget target = new(new ScriptedDevice(SizeMiB * 2048));

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => target.DisposeAsync().AsTask();

    static async Task<string> Run(string tool, params string[] arguments)
    {
        var result = await ExternalTool.RunAsync(tool, arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    [FactIfTool("iscsi-ls")]
    public async Task Iscsi_ls_finds_targets_and_units()
    {
        var output = await Run("iscsi-ls", "-s", $"iscsi://{target.EndPoint}");
        Assert.Contains($"Target:{TestTarget.Name} Portal:{target.EndPoint},1", output, StringComparison.Ordinal);
        Assert.Contains("Lun:0    Type:DIRECT_ACCESS", output, StringComparison.Ordinal);
    }

    [FactIfTool("iscsi-inq")]
    public async Task Iscsi_inq_reads_every_page()
    {
        Assert.Contains("Vendor:ASHLAR", await Run("iscsi-inq", target.Url), StringComparison.Ordinal);
        foreach (var page in new[] { 0x00, 0x80, 0x83, 0xB0, 0xB1, 0xB2 })
            await Run("iscsi-inq", "-e", "1", "-c", $"{page}", target.Url);
    }

    [FactIfTool("iscsi-readcapacity16")]
    public async Task Iscsi_readcapacity16_reads_the_size() =>
        Assert.Contains($"Total size:{SizeMiB << 20}", await Run("iscsi-readcapacity16", target.Url), StringComparison.Ordinal);

    [FactIfTool("qemu-img")]
    public async Task Qemu_img_writes_an_image_and_reads_it_back_equal()
    {
        using var directory = new TemporaryDirectory();
        var image = directory["image.raw"];
        var data = new byte[SizeMiB << 20];
        new SeededRandom(1).Fill(data.AsSpan(0, data.Length / 2)); // The rest is zeros, which qemu-img writes by WRITE SAME.
        await File.WriteAllBytesAsync(image, data);
        await Run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image, target.Url);
        Assert.Contains(
            "Images are identical",
            await Run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, target.Url),
            StringComparison.Ordinal);
    }

    [FactIfTool("qemu-io")]
    public async Task Qemu_io_writes_discards_zeroes_and_flushes()
    {
        var output = await Run("qemu-io", "-f", "raw",
            "-c", "write -P 0xab 1000 5000", "-c", "read -P 0xab 1000 5000",
            "-c", "discard 1M 1M", "-c", "read -P 0 1M 1M",
            "-c", "write -z 3M 64k", "-c", "read -P 0 3M 64k", "-c", "flush", target.Url);
        Assert.DoesNotContain("failed", output, StringComparison.OrdinalIgnoreCase);
        Assert.True(target.Device.Flushes > 0);
    }
}
