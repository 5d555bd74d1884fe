using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Guests;

/// <summary>
/// A server with the root of all guests as a volume, and clones of its snapshot that guests boot from, by QEMU's own clients.
/// </summary>
sealed class RootDisk : IDisposable
{
    const string Snapshot = "golden@base";

    readonly TemporaryDirectory directory = TemporaryDirectory.OnDisk();
    readonly AshlarProcess server;
    readonly string image = LinuxGuest.RootImage;

    public RootDisk()
    {
        server = new(directory["data"], "3GiB");
        server.Start();
        server.CreateVolume("golden", $"{new FileInfo(image).Length}");
        ExternalTool.Run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image, server.NbdUri("golden")).MustSucceed();
        server.Command("snapshot", "create", Snapshot);
    }

    /// <summary>A clone that a guest boots from, as QEMU names it.</summary>
    /// <param name="protocol">By which it is reached, and its name: nbd or iscsi.</param>
    public string Clone(string protocol)
    {
        server.Command("snapshot", "clone", Snapshot, protocol);
        return protocol == "nbd" ? server.NbdUri(protocol) : server.IscsiUrl(protocol);
    }

    /// <summary>The file system of a clone is sound and has what its guest wrote, and the snapshot is what it was.</summary>
    public void MustHaveServed(string clone)
    {
        var copy = directory[clone];
        ExternalTool.Run("qemu-img", "convert", "-f", "raw", "-O", "raw", server.NbdUri(clone), copy).MustSucceed();
        ExternalTool.Run("e2fsck", "-fn", copy).MustSucceed();
        Assert.Contains($"of {clone}", ExternalTool.Run("debugfs", "-R", "cat /written", copy).MustSucceed(), StringComparison.Ordinal);
        File.Delete(copy);
        ExternalTool.Run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, server.NbdUri(Snapshot)).MustSucceed();
    }

    public void Dispose()
    {
        server.Dispose();
        directory.Dispose();
    }
}
