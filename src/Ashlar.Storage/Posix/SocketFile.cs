using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Ashlar.Storage;

/// <summary>The file that a Unix socket is reached by: whether there is one, whose it is, and its end.</summary>
[SupportedOSPlatform("linux")]
public static unsafe partial class SocketFile
{
    const uint Unchanged = uint.MaxValue; // Of chown.

    // struct passwd and struct group of 64-bit Linux, glibc and musl: two pointers, then the numbers.
    const int NumberOffset = 2 * sizeof(long);

    static readonly Lock Accounts = new(); // What these calls give is theirs until the next call.

    /// <summary>Whether a socket lies at a path; null where nothing does.</summary>
    /// <exception cref="StorageException">It cannot be known.</exception>
    public static bool? IsOne(string path) => PosixFileSystem.TryGetStatus(path, out var status) ? status.IsSocket : null;

    /// <summary>Removes one that nobody listens on any more.</summary>
    /// <exception cref="StorageException">It could not be removed.</exception>
    public static void Remove(string path)
    {
        while (Libc.Unlink(path) != 0)
        {
            if (PosixError.Last == Errno.NoEntry) return;
            PosixError.ThrowUnlessInterrupted("unlink", path);
        }
    }

    /// <summary>Says who may use it. The directory may be somebody else's: what lies there is changed only if it is a socket.</summary>
    /// <param name="path">The file.</param>
    /// <param name="user">Number of the user whose it is; null leaves it.</param>
    /// <param name="group">Number of its group; null leaves it.</param>
    /// <param name="mode">Its permissions.</param>
    /// <exception cref="StorageException">This process may not say so.</exception>
    public static void SetAccess(string path, uint? user, uint? group, UnixFileMode mode)
    {
        // A link that took its place is not followed, and what is looked at is what is changed.
        var descriptor = FileDescriptor.Open(path, Libc.OpenPathOnly | Libc.OpenNoFollow);
        using var file = new PosixFile(path, descriptor);
        if (!file.Status().IsSocket) throw StorageException.FromErrno("chmod", path, Errno.Exists, "what lies there is no socket");
        var itself = $"/proc/self/fd/{descriptor.DangerousGetHandle()}"; // It stays open until the end.
        if (user is not null || group is not null)
            while (ChangeOwner(itself, user ?? Unchanged, group ?? Unchanged) != 0) PosixError.ThrowUnlessInterrupted("chown", path);
        // Last: a change of owner takes permissions away.
        while (ChangeMode(itself, (uint)mode) != 0) PosixError.ThrowUnlessInterrupted("chmod", path);
    }

    /// <summary>Number of the user of a name, or that the text is; null where there is none.</summary>
    public static uint? FindUser(string text) => Find(text, FindUserByName);

    /// <summary>Number of the group of a name, or that the text is; null where there is none.</summary>
    public static uint? FindGroup(string text) => Find(text, FindGroupByName);

    static uint? Find(string text, Func<string, nint> byName)
    {
        if (uint.TryParse(text, out var number) && number != Unchanged) return number;
        lock (Accounts) return byName(text) is var account and not 0 ? *(uint*)(account + NumberOffset) : null;
    }

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeMode(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "getpwnam", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint FindUserByName(string name);

    [LibraryImport("libc", EntryPoint = "getgrnam", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint FindGroupByName(string name);
}
