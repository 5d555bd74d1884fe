using Ashlar.Interop.Tests.Clients;
using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.Images;

/// <summary>A whole file system through one protocol and back through the other, as a user of QEMU would do it.</summary>
public sealed class FileSystemImageTests(ITestOutputHelper output)
{
    const int AllocationUnitSizeBytes = 64 << 10, BlockSizeBytes = 4096;
    static readonly TimeSpan CopyDeadline = TimeSpan.FromMinutes(8);

    [FactIfTool("mkfs.ext4", "e2fsck", "qemu-img", "qemu-block-iscsi", "nbdcopy")]
    public void A_file_system_image_is_the_same_over_both_protocols_and_takes_only_the_space_it_needs()
    {
        using var directory = TemporaryDirectory.OnDisk();
        var image = FileSystemImage.Make(directory);
        using var server = new AshlarProcess(directory["data"], $"{3 * FileSystemImage.SizeBytes}");
        server.Start();
        server.CreateVolume("vm1", $"{FileSystemImage.SizeBytes}");
        server.CreateVolume("vm2", $"{FileSystemImage.SizeBytes}");
        var usedEmpty = server.PoolUsedBytes();

        // In over NBD; compared below over iSCSI, when it has gone on to the other volume, a kill and a start.
        Copy(image.FilePath, server.NbdUri("vm1"));
        var usedOne = server.PoolUsedBytes() - usedEmpty;
        var needed = FileSystemImage.CountUsedBytes(image.FilePath, BlockSizeBytes);
        var neededInUnits = FileSystemImage.CountUsedBytes(image.FilePath, AllocationUnitSizeBytes);
        output.WriteLine(
            $"image: {needed >> 20} MiB of 4 KiB blocks, {neededInUnits >> 20} MiB of 64 KiB units; pool: {usedOne >> 20} MiB");
        // qemu-img finds zeros 4 KiB by 4 KiB but writes longer runs now and then, so a few units more are its own doing.
        Assert.InRange(usedOne, needed, neededInUnits + neededInUnits / 50);

        // In over iSCSI, out over NBD.
        Copy(server.NbdUri("vm1"), server.IscsiUrl("vm2"));
        var usedTwo = server.PoolUsedBytes() - usedEmpty;
        Assert.InRange(usedTwo, 2 * needed, 2 * (neededInUnits + neededInUnits / 50));

        // A killed server, a started one, a stopped one: what was flushed stays.
        server.Kill();
        server.Start();
        MustBeIdentical(image.FilePath, server.IscsiUrl("vm1"));
        Assert.Equal(usedTwo, server.PoolUsedBytes() - usedEmpty);
        server.Stop();
        server.Start();
        MustBeIdentical(image.FilePath, server.NbdUri("vm2"));
        Assert.Equal(usedTwo, server.PoolUsedBytes() - usedEmpty);

        // The file system itself agrees.
        var copy = directory["copy.raw"];
        ExternalTool.Run(CopyDeadline, "nbdcopy", server.NbdUri("vm2"), copy).MustSucceed();
        ExternalTool.Run(CopyDeadline, "e2fsck", "-fn", copy).MustSucceed();

        // Space comes back, by TRIM over NBD and by UNMAP over iSCSI.
        using (var client = server.ConnectNbd("vm1"))
        {
            client.Trim(0, client.SizeBytes);
            client.Flush();
        }
        using (var client = server.ConnectIscsi("vm2", session: 1))
        {
            const long unmapBytes = 64L << 20;
            for (var offset = 0L; offset < client.SizeBytes; offset += unmapBytes) client.Trim(offset, unmapBytes);
            client.Flush();
        }
        Assert.InRange(server.PoolUsedBytes(), 0, usedEmpty + AllocationUnitSizeBytes);
        using (var client = server.ConnectIscsi("vm1", session: 1)) MustBeZeros(client);
        using (var client = server.ConnectNbd("vm2")) MustBeZeros(client);
        server.Stop();
    }

    static void Copy(string source, string target) =>
        QemuImage.Copy(source, target, CopyDeadline);

    static void MustBeZeros(IBlockClient client)
    {
        var piece = new byte[1 << 20];
        for (var offset = 0L; offset < client.SizeBytes; offset += piece.Length)
        {
            client.Read(offset, piece);
            Assert.False(piece.AsSpan().ContainsAnyExcept((byte)0), $"a byte of the MiB at {offset} is not zero");
        }
    }

    static void MustBeIdentical(string first, string second) =>
        Assert.True(QemuImage.AreEqual(first, second, CopyDeadline), $"{first} is not {second}");
}
