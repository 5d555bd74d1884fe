namespace Ashlar.Storage;

/// <summary>
/// The real disk on 64-bit Linux, macOS and Windows alike: .NET reads and writes, and a few calls of the operating system do what .NET
/// has no call for (decision 67). It reserves no space, punches no holes, asks for nothing ahead, and never reads without perhaps having
/// to wait: callers go on without.
/// </summary>
/// <remarks>
/// <para>What <see cref="IFile.Sync"/> is: <c>fsync</c> on Linux; <c>F_FULLFSYNC</c> on macOS, where <c>fsync</c> leaves data in the cache
/// of the disk, and <c>fsync</c> on its file systems that do not know it; <c>FlushFileBuffers</c> on Windows.</para>
/// <para>What <see cref="IFileSystem.SyncDirectory"/> is: the same of the directory on Linux and macOS. On Windows nothing, because a
/// directory cannot be flushed. Assumed is of its file systems that changes of names survive in the order in which they were made, and that
/// a flush of a file makes its own name durable, as it is by then: NTFS and ReFS keep a journal of both, FAT and exFAT do not. So a file
/// that is flushed after it got its name is found by it; only a name that was changed as the last thing may be lost.</para>
/// </remarks>
sealed class PortableFileSystem : IFileSystem
{
    readonly INativeFiles native;

    PortableFileSystem(INativeFiles native) => this.native = native;

    /// <summary>The one instance.</summary>
    /// <exception cref="PlatformNotSupportedException">The operating system is none of those.</exception>
    public static PortableFileSystem Instance => Only.Instance;

    public IFile Open(string path, FileOpenMode mode)
    {
        RequireAbsolute(path);
        EnumArgument.RequireDefined(mode);
        return new PortableFile(path, native.Open(path, mode), isReadOnly: mode == FileOpenMode.ReadOnly, native);
    }

    public bool FileExists(string path) => TryGetFacts(path, out var facts) && !facts.IsDirectory;

    public bool DirectoryExists(string path) => TryGetFacts(path, out var facts) && facts.IsDirectory;

    public IReadOnlyList<string> List(string directory)
    {
        if (!TryGetFacts(directory, out var facts)) throw StorageException.FromErrno("opendir", directory, Errno.NoEntry);
        if (!facts.IsDirectory) throw StorageException.FromErrno("opendir", directory, Errno.NotDirectory);
        try
        {
            var names = new List<string>();
            foreach (var path in Directory.EnumerateFileSystemEntries(directory)) names.Add(Path.GetFileName(path));
            names.Sort(StringComparer.Ordinal);
            return names;
        }
        catch (Exception failure) when (PortableError.IsOfTheDisk(failure))
        {
            throw PortableError.Of("readdir", directory, failure);
        }
    }

    public void CreateDirectory(string path)
    {
        RequireAbsolute(path);
        native.CreateDirectory(path);
    }

    public void DeleteDirectory(string path)
    {
        RequireAbsolute(path);
        native.DeleteDirectory(path);
    }

    public void Rename(string source, string target)
    {
        RequireAbsolute(source);
        RequireAbsolute(target);
        native.Rename(source, target);
    }

    public void Delete(string path)
    {
        RequireAbsolute(path);
        native.Delete(path);
    }

    public void SyncDirectory(string path)
    {
        RequireAbsolute(path);
        native.SyncDirectory(path);
    }

    public IFileLock Lock(string path)
    {
        RequireAbsolute(path);
        return PortableLock.Take(native, path);
    }

    public IFileLock LockShared(string path)
    {
        RequireAbsolute(path);
        return PortableLock.TakeExisting(native, path, isShared: true);
    }

    public IFileLock LockExisting(string path)
    {
        RequireAbsolute(path);
        return PortableLock.TakeExisting(native, path, isShared: false);
    }

    public string ResolveLinks(string path)
    {
        RequireAbsolute(path);
        return native.ResolveLinks(path);
    }

    public long GetFreeSpaceBytes(string path)
    {
        if (!TryGetFacts(path, out _)) throw StorageException.FromErrno("statvfs", path, Errno.NoEntry);
        return native.GetFreeSpaceBytes(path);
    }

    public string GetVolumeIdentity(string path) =>
        TryGetFacts(path, out var facts) ? $"{facts.Volume:x}" : throw StorageException.FromErrno("stat", path, Errno.NoEntry);

    public string GetFileIdentity(string path) =>
        TryGetFacts(path, out var facts) ? facts.Identity : throw StorageException.FromErrno("stat", path, Errno.NoEntry);

    bool TryGetFacts(string path, out FileFacts facts)
    {
        RequireAbsolute(path);
        return native.TryGetFacts(path, out facts);
    }

    static void RequireAbsolute(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Contains('\0', StringComparison.Ordinal)) throw new ArgumentException("The path contains NUL.", nameof(path));
        if (!Path.IsPathFullyQualified(path)) throw new ArgumentException($"The path is not absolute: '{path}'", nameof(path));
    }

    // Apart, so that who only asks for the type meets no exception of its initializer.
    static class Only
    {
        static PortableFileSystem? instance;

        public static PortableFileSystem Instance => instance ?? Make();

        static PortableFileSystem Make()
        {
            FileSizeSignal.IgnoreUnlessHandled();
            var made = new PortableFileSystem(NativeFilesOfThisSystem());
            return Interlocked.CompareExchange(ref instance, made, null) ?? made;
        }

        static INativeFiles NativeFilesOfThisSystem()
        {
            // What stands above counts addresses and offsets in 64 bits at once.
            if (Environment.Is64BitProcess && OperatingSystem.IsWindows()) return new WindowsFiles();
            if (Environment.Is64BitProcess && (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())) return new UnixFiles();
            throw new PlatformNotSupportedException("Ashlar stores data on 64-bit Linux, macOS and Windows.");
        }
    }
}
