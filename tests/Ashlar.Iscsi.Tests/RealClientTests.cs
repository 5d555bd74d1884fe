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

    [FactIfTool("iscsi-inq")]
    public void Iscsi_inq_reads_every_page()
    {
        Assert.Contains("Vendor:ASHLAR", ExternalTool.Run("iscsi-inq", target.Url).MustSucceed(), StringComparison.Ordinal);
        foreach (var page in new[] { 0x00, 0x80, 0x83, 0xB0, 0xB1, 0xB2 })
            ExternalTool.Run("iscsi-inq", "-e", "1", "-c", $"{page}", target.Url).MustSucceed();
    }

    [FactIfTool("iscsi-readcapacity16")]
    public void Iscsi_readcapacity16_reads_the_size() => Assert.Contains(
        $"Total size:{SizeMiB << 20}", ExternalTool.Run("iscsi-readcapacity16", target.Url).MustSucceed(), StringComparison.Ordinal);

    [FactIfTool("qemu-img", "qemu-block-iscsi")]
    public void Qemu_img_writes_an_image_and_reads_it_back_equal()
    {
        using var directory = new TemporaryDirectory();
        var image = new byte[SizeMiB << 20];
        new SeededRandom(1).Fill(image.AsSpan(0, image.Length / 2)); // The rest is zeros, which qemu-img writes by WRITE SAME.
        File.WriteAllBytes(directory["image"], image);
        QemuImage.Copy(directory["image"], target.Url);
        Assert.True(QemuImage.AreEqual(directory["image"], target.Url));
        image[12345] ^= 1;
        File.WriteAllBytes(directory["image"], image);
        Assert.False(QemuImage.AreEqual(directory["image"], target.Url));
    }

    [FactIfTool("qemu-io", "qemu-block-iscsi")]
    public void Qemu_io_writes_discards_zeroes_and_flushes()
    {
        var output = ExternalTool.Run("qemu-io", "-f", "raw",
            "-c", "write -P 0xab 1000 5000", "-c", "read -P 0xab 1000 5000",
            "-c", "discard 1M 1M", "-c", "read -P 0 1M 1M",
            "-c", "write -z 3M 64k", "-c", "read -P 0 3M 64k", "-c", "flush", target.Url).MustSucceed();
        Assert.DoesNotContain("failed", output, StringComparison.OrdinalIgnoreCase);
        Assert.True(target.Device.Flushes > 0);
    }
}
