using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Guests;

/// <summary>
/// A machine whose disk is a clone boots, works, and leaves the snapshot as it was. QEMU's own clients make a disk of a volume.
/// </summary>
public sealed class RootDiskTests
{
    [GuestFact]
    public async Task A_guest_boots_from_clones_of_a_snapshot_over_NBD_and_iSCSI()
    {
        if (!TestTier.IsDeep) return; // Each boot takes most of a minute.
        using var directory = TemporaryDirectory.OnDisk();
        using var server = new AshlarProcess(directory["data"], "3GiB");
        server.Start();
        var image = LinuxGuest.RootImage;
        server.CreateVolume("golden", $"{new FileInfo(image).Length}");
        var golden = server.NbdUri("golden");
        ExternalTool.Run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image, golden).MustSucceed();
        server.Command("snapshot", "create", "golden@base");
        foreach (var (clone, uri) in new (string, Func<string, string>)[] { ("nbd", server.NbdUri), ("iscsi", server.IscsiUrl) })
        {
            server.Command("snapshot", "clone", "golden@base", clone);
            var results = await LinuxGuest.RunAsync(
                [.. ((string[])["common", "root"]).Select(step => $"{AppContext.BaseDirectory}Guests/Job/{step}.sh")],
                new Dictionary<string, string> { ["CLONE"] = clone },
                uri(clone));
            results["root"].MustSucceed();
            var copy = directory[clone];
            ExternalTool.Run("qemu-img", "convert", "-f", "raw", "-O", "raw", server.NbdUri(clone), copy).MustSucceed();
            ExternalTool.Run("e2fsck", "-fn", copy).MustSucceed();
            Assert.Contains(
                $"of {clone}", ExternalTool.Run("debugfs", "-R", "cat /written", copy).MustSucceed(), StringComparison.Ordinal);
            File.Delete(copy);
        }
        ExternalTool.Run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, server.NbdUri("golden@base")).MustSucceed();
        server.Stop();
    }
}
