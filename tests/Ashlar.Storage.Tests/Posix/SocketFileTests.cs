using System.Net.Sockets;
using System.Runtime.Versioning;
using Ashlar.TestKit;

namespace Ashlar.Storage.Tests.Posix;

/// <summary>The directory of a socket may be somebody else's: what he puts there is not changed, followed or waited for.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class SocketFileTests : IDisposable
{
    const UnixFileMode Open = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    readonly TemporaryDirectory directory = TemporaryDirectory.OnDisk();

    [Fact]
    public void Access_is_changed_of_a_socket_alone_and_of_nothing_that_a_link_leads_to()
    {
        var file = directory["file"];
        File.WriteAllText(file, "somebody's");
        var mode = File.GetUnixFileMode(file);
        File.CreateSymbolicLink(directory["link"], file);
        foreach (var path in (string[])[file, directory["link"]])
            Assert.Contains(
                "no socket",
                Assert.Throws<StorageException>(() => SocketFile.SetAccess(path, null, null, Open | UnixFileMode.OtherWrite)).Message,
                StringComparison.Ordinal);
        Assert.Equal(mode, File.GetUnixFileMode(file));

        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(directory["s"]));
        SocketFile.SetAccess(directory["s"], null, null, Open);
        Assert.Equal(Open, File.GetUnixFileMode(directory["s"]));
    }

    [Fact]
    public void The_lock_of_a_path_is_had_by_one_and_leaves_nothing()
    {
        var path = directory["s"];
        using (SocketFileLock.TryTake(path))
        {
            Assert.Null(SocketFileLock.TryTake(path));
            using var other = SocketFileLock.TryTake(directory["t"]);
            Assert.NotNull(other);
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory.DirectoryPath));
        using var next = SocketFileLock.TryTake(path);
        Assert.NotNull(next);
    }

    [Fact]
    public void The_lock_follows_no_link()
    {
        File.CreateSymbolicLink(directory["s.lock"], directory["elsewhere"]);
        Assert.Throws<StorageException>(() => SocketFileLock.TryTake(directory["s"]));
        Assert.False(File.Exists(directory["elsewhere"]));
    }

    public void Dispose() => directory.Dispose();
}
