using System.Diagnostics;
using System.Runtime.InteropServices;
using Ashlar.TestKit;

namespace Ashlar.Storage.Tests.Files;

/// <summary>What every door to the disk of this machine promises beyond <see cref="FileSystemContract"/>.</summary>
public abstract partial class RealFileSystemContract : FileSystemContract, IDisposable
{
    readonly TemporaryDirectory directory = new();

    protected override string Root => directory.DirectoryPath;

    public void Dispose()
    {
        directory.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Only_the_owner_may_read_what_is_stored()
    {
        Create("file", "secret");
        Disk.CreateDirectory(At("directory"));

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("file")));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(At("directory")));
    }

    [Fact]
    public void The_lock_file_names_its_owner_only_while_it_is_held()
    {
        using (var file = Disk.Open(At("LOCK"), FileOpenMode.CreateNew)) file.Write("1234567890\n"u8, 0);
        using (Disk.Lock(At("LOCK")))
        {
            Assert.Equal($"{Environment.ProcessId}", Content("LOCK").Trim());
            Assert.Equal(Environment.ProcessId, Assert.Throws<LockedException>(() => Disk.Lock(At("LOCK"))).OwnerProcessId);
        }

        Assert.Equal("          \n", Content("LOCK")); // Nobody's; the space stays for the next owner.
    }

    [Fact]
    public void A_lock_file_with_nonsense_names_no_owner()
    {
        using var held = Disk.Lock(At("LOCK"));
        using (var file = Disk.Open(At("LOCK"), FileOpenMode.Existing)) file.Write("nonsense"u8, 0);
        Assert.Null(Assert.Throws<LockedException>(() => Disk.Lock(At("LOCK"))).OwnerProcessId);
    }

    [Fact]
    public void All_names_of_a_file_are_of_one_file_and_meet_one_lock()
    {
        Create("file", "mine");
        Create("other", "mine");
        Disk.CreateDirectory(At("below"));
        File.CreateSymbolicLink(At("link"), At("file"));
        ExternalTool.Run("ln", At("file"), At("hard")).MustSucceed();
        string[] names = [At("file"), At("link"), At("hard"), At("below/../file")];
        using var held = Disk.LockExisting(At("link"));
        foreach (var name in names)
        {
            Assert.Throws<LockedException>(() => Disk.LockExisting(name));
            Assert.Equal(Disk.GetFileIdentity(At("file")), Disk.GetFileIdentity(name));
        }
        Disk.LockExisting(At("other")).Dispose();
        Assert.NotEqual(Disk.GetFileIdentity(At("file")), Disk.GetFileIdentity(At("other")));
    }

    [Fact]
    public void A_child_process_does_not_keep_the_lock()
    {
        Process child;
        using (Disk.Lock(At("LOCK"))) child = Process.Start("sleep", "60");
        try
        {
            Disk.Lock(At("LOCK")).Dispose();
        }
        finally
        {
            child.Kill();
            child.WaitForExit();
            child.Dispose();
        }
    }

    [Fact]
    public void A_copy_of_the_descriptor_in_a_process_that_is_being_started_does_not_keep_the_lock()
    {
        var held = Disk.Lock(At("LOCK"));
        var descriptor = Directory.GetFiles("/proc/self/fd").Single(link => TargetOf(link) == At("LOCK"));
        var copy = Duplicate(int.Parse(Path.GetFileName(descriptor), System.Globalization.CultureInfo.InvariantCulture));
        try
        {
            held.Dispose();
            Disk.Lock(At("LOCK")).Dispose();
        }
        finally
        {
            _ = Close(copy);
        }
    }

    // Null for a descriptor that another test has closed meanwhile.
    static string? TargetOf(string link)
    {
        try
        {
            return File.ResolveLinkTarget(link, false)?.FullName;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    [Fact]
    public void A_lock_is_taken_where_there_is_no_room_to_say_who_holds_it()
    {
        using (Disk.Lock("/dev/full"))
        {
            var refused = Assert.Throws<LockedException>(() => Disk.Lock("/dev/full"));
            Assert.Null(refused.OwnerProcessId);
        }

        Disk.Lock("/dev/full").Dispose();
    }

    [Fact]
    public void A_full_device_is_no_space()
    {
        using var full = Disk.Open("/dev/full", FileOpenMode.Existing);
        var error = Fails(StorageErrorKind.NoSpace, "pwrite", () => full.Write(new byte[10], 40));
        Assert.Equal("/dev/full: pwrite failed: 10 bytes at 40: No space left on device (errno 28)", error.Message);
        Assert.Equal(Errno.NoSpace, error.Errno);
    }

    /// <remarks>So does a file system that an error has made read-only, which must not pass for one that was flushed.</remarks>
    [Fact]
    public void What_cannot_be_synced_or_punched_says_so()
    {
        using var device = Disk.Open("/dev/null", FileOpenMode.Existing);
        Assert.Equal(Errno.Invalid, Assert.Throws<StorageException>(device.Sync).Errno);
        Assert.Throws<StorageException>(() => device.PunchHole(0, 4096));
    }

    [Fact]
    public void A_length_that_cannot_be_set_is_an_error()
    {
        using var device = Disk.Open("/dev/zero", FileOpenMode.Existing);
        Assert.Throws<StorageException>(() => device.SetLength(4096));
    }

    [Fact]
    public void A_file_that_is_open_or_locked_can_be_opened_again()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        using var held = Disk.LockExisting(At("file"));
        using (var other = Disk.Open(At("file"), FileOpenMode.Existing)) other.Write("other"u8, 0);
        Assert.Equal("other", ReadText(file, 0, 99));
        using var lockFile = Disk.Lock(At("LOCK"));
        Assert.Equal($"{Environment.ProcessId}", Content("LOCK").Trim());
    }

    [Fact]
    public void A_file_knows_whether_its_path_still_leads_to_it()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        Assert.True(file.IsInPlace);
        Disk.Rename(At("file"), At("moved"));
        Assert.False(file.IsInPlace);
        Create("file", "");
        Assert.False(file.IsInPlace);
        Disk.Rename(At("moved"), At("file"));
        Assert.True(file.IsInPlace);
    }

    [Fact]
    public void The_other_door_meets_the_same_files_and_locks()
    {
        var other = Disk is PosixFileSystem ? FileSystems.Portable : PosixFileSystem.Instance;
        Create("file", "content");
        using (var file = other.Open(At("file"), FileOpenMode.ReadOnly)) Assert.Equal("content", ReadText(file, 0, 99));
        using (Disk.Lock(At("LOCK")))
        {
            Assert.Equal(Environment.ProcessId, Assert.Throws<LockedException>(() => other.Lock(At("LOCK"))).OwnerProcessId);
            Assert.Throws<LockedException>(() => other.LockShared(At("LOCK")));
        }

        using (Disk.LockShared(At("LOCK")))
        {
            other.LockShared(At("LOCK")).Dispose();
            Assert.Throws<LockedException>(() => other.Lock(At("LOCK")));
        }
    }

    [Fact]
    public void Reading_a_failing_file_is_an_error()
    {
        // A process's own memory: nothing is mapped at address 0.
        using var memory = Disk.Open("/proc/self/mem", FileOpenMode.ReadOnly);
        Fails(StorageErrorKind.InputOutput, "pread", () => memory.Read(new byte[8], 0));
    }

    [Fact]
    public void A_rename_across_file_systems_is_refused_and_never_becomes_a_copy()
    {
        if (!Directory.Exists("/dev/shm")) return;
        Create("file", "x");
        var target = $"/dev/shm/{Path.GetFileName(Root)}";
        StorageException? error = null;
        try
        {
            Disk.Rename(At("file"), target);
            Disk.Delete(target); // One file system after all: nothing to see.
        }
        catch (StorageException caught)
        {
            error = caught;
        }

        if (error is null) return;
        Assert.Equal(Errno.CrossDevice, error.Errno);
        Assert.Equal("x", Content("file"));
    }

    [Fact]
    public void What_belongs_to_others_is_denied()
    {
        // Refused to everyone, root included: the kernel's own read-only tree.
        var error = Assert.Throws<StorageException>(() => Disk.CreateDirectory("/proc/ashlar"));
        Assert.Contains(error.Kind, new[] { StorageErrorKind.AccessDenied, StorageErrorKind.NotFound });
    }

    [Fact]
    public void A_name_that_is_too_long_is_an_error_and_not_an_absence() =>
        Assert.Throws<StorageException>(() => Disk.FileExists(At(new string('x', 300))));

    [Fact]
    public void Closing_while_others_read_disturbs_no_other_file()
    {
        for (var round = 0; round < 50; round++)
        {
            var file = Disk.Open(At($"file{round}"), FileOpenMode.CreateNew);
            file.Write("mine"u8, 0);
            var reader = new Thread(() =>
            {
                var buffer = new byte[4];
                try
                {
                    while (true)
                    {
                        file.Read(buffer, 0);
                        Assert.Equal("mine"u8.ToArray(), buffer);
                    }
                }
                catch (ObjectDisposedException)
                {
                }
            });
            reader.Start();
            file.Dispose();
            using var other = Disk.Open(At($"other{round}"), FileOpenMode.CreateNew);
            other.Write("else"u8, 0);
            reader.Join();
        }
    }

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
