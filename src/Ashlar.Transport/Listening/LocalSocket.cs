using System.Net.Sockets;
using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>A Unix socket to listen on. Its file goes when the socket is closed; one that a dead server left is replaced.</summary>
static class LocalSocket
{
    /// <summary>Takes the path; nobody can connect before the socket listens.</summary>
    /// <param name="name">The listener's.</param>
    /// <param name="endPoint">The path.</param>
    /// <param name="access">Who may connect.</param>
    /// <param name="pathLock">
    /// Keeps other servers from the path. Order: it goes after the socket, whose end removes the file, or that of another would go.
    /// </param>
    /// <exception cref="ListenException">Somebody listens there, something else lies there, or the file cannot be made.</exception>
    public static Socket Bind(string name, UnixDomainSocketEndPoint endPoint, LocalSocketAccess access, out IDisposable pathLock)
    {
        var path = endPoint.ToString();
        SocketFileLock? taken = null;
        try
        {
            taken = SocketFileLock.TryTake(path) ?? throw new SocketException((int)SocketError.AddressAlreadyInUse);
            RemoveStale(path, endPoint);
            var socket = BindNew(path, endPoint, access);
            (pathLock, taken) = (taken, null);
            return socket;
        }
        catch (Exception e) when (e is SocketException or StorageException)
        {
            throw new ListenException(name, path, e, isLocal: true);
        }
        finally
        {
            taken?.Dispose();
        }
    }

    static Socket BindNew(string path, UnixDomainSocketEndPoint endPoint, LocalSocketAccess access)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(endPoint);
            // Before it listens, so nobody comes in by the permissions that it was made with.
            SocketFile.SetAccess(path, access.User, access.Group, access.Mode);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // Whoever listens takes the connection; a file that nobody listens on refuses it. What is no socket is somebody's, and stays.
    static void RemoveStale(string path, UnixDomainSocketEndPoint endPoint)
    {
        if (SocketFile.IsOne(path) is not { } isSocket) return;
        if (!isSocket) throw StorageException.FromErrno("bind", path, Errno.Exists, "what lies there is no socket");
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            SocketFile.Remove(path);
            return;
        }
        throw new SocketException((int)SocketError.AddressAlreadyInUse);
    }
}
