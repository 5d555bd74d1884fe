using System.Text;

namespace Ashlar.Storage.Tests.Files;

/// <summary>What every file system promises. The real and the simulated one pass the same tests, so they agree.</summary>
public abstract class FileSystemContract
{
    protected abstract IFileSystem Disk { get; }

    /// <summary>An existing, empty directory.</summary>
    protected abstract string Root { get; }

    /// <summary>Whether it reserves space and gives it back, or says that it cannot.</summary>
    protected virtual bool CanReserve => true;

    [Fact]
    public void What_was_written_is_read()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Write("hello, world"u8, 0);
        file.Write("W"u8, 7);

        Assert.Equal(12, file.LengthBytes);
        Assert.Equal("hello, World", ReadText(file, 0, 12));
        Assert.Equal(At("file"), file.Path);
    }

    [Fact]
    public void Directories_are_created_with_their_parents_and_may_be_there()
    {
        Disk.CreateDirectories(At("a/b/c"));
        Disk.CreateDirectories(At("a/b/c"));
        Disk.CreateDirectories(At("a/b/d"));
        Disk.CreateDirectories("/");
        Assert.Equal(["c", "d"], Disk.List(At("a/b")));
    }

    [Fact]
    public void A_read_is_short_only_at_the_end()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Write("12345"u8, 0);

        Assert.Equal("45", ReadText(file, 3, 10));
        Assert.Equal("", ReadText(file, 5, 10));
        Assert.Equal("", ReadText(file, 500, 10));
    }

    [Fact]
    public void A_cached_read_gives_the_same_bytes_or_none()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Write("12345"u8, 0);
        var buffer = new byte[10];

        if (!file.TryReadCached(buffer, 1, out var count)) return;
        Assert.Equal("2345", Encoding.ASCII.GetString(buffer, 0, count));
        Assert.True(file.TryReadCached(buffer, 77, out count));
        Assert.Equal(0, count);
    }

    [Fact]
    public void A_hint_changes_nothing_and_never_fails()
    {
        Create("file", "12345");
        using var file = Disk.Open(At("file"), FileOpenMode.ReadOnly);
        file.Prefetch(1, 2);
        file.Prefetch(0, 0);
        file.Prefetch(3, 1 << 20);
        file.Prefetch(1 << 20, 10);

        Assert.Equal(5, file.LengthBytes);
        Assert.Equal("12345", ReadText(file, 0, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Prefetch(-1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Prefetch(0, -1));
    }

    [Fact]
    public void A_write_beyond_the_end_leaves_zeros_between()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Write("a"u8, 0);
        file.Write("b"u8, 10_000);

        Assert.Equal(10_001, file.LengthBytes);
        Assert.Equal(new byte[9_999], ReadBytes(file, 1, 9_999));
    }

    [Fact]
    public void Writing_nothing_changes_nothing()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Write([], 100);
        Assert.Equal(0, file.LengthBytes);
    }

    [Fact]
    public void A_cut_file_that_grows_again_reads_zeros_there()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Write("abcdef"u8, 0);
        file.SetLength(2);
        Assert.Equal(2, file.LengthBytes);
        file.SetLength(6);

        Assert.Equal("ab\0\0\0\0", ReadText(file, 0, 6));
    }

    [Fact]
    public void Allocating_extends_the_file_with_zeros_and_keeps_the_content()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Write("abc"u8, 0);
        if (!CanReserve)
        {
            Fails(StorageErrorKind.NotSupported, "fallocate", () => file.Allocate(0, 100_000));
            Assert.Equal("abc", Content("file"));
            return;
        }

        file.Allocate(0, 100_000);

        Assert.Equal(100_000, file.LengthBytes);
        Assert.True(file.AllocatedBytes >= 100_000, $"{file.AllocatedBytes} bytes allocated");
        Assert.Equal("abc\0", ReadText(file, 0, 4));
    }

    [Fact]
    public void A_punched_hole_reads_as_zeros_and_frees_space()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Write(Enumerable.Repeat((byte)7, 1 << 20).ToArray(), 0);
        file.Sync();
        var before = file.AllocatedBytes;
        if (!CanReserve)
        {
            Fails(StorageErrorKind.NotSupported, "fallocate", () => file.PunchHole(1000, (1 << 20) - 2000));
            Assert.Equal(-1, ReadAll(file).AsSpan().IndexOfAnyExcept((byte)7));
            return;
        }

        file.PunchHole(1000, (1 << 20) - 2000);

        Assert.Equal(1 << 20, file.LengthBytes);
        Assert.True(file.AllocatedBytes <= before - 900_000, $"{before} before, {file.AllocatedBytes} after");
        Assert.Equal(new byte[] { 7, 0, 0 }, ReadBytes(file, 999, 3));
        Assert.Equal(new byte[] { 0, 0, 7 }, ReadBytes(file, (1 << 20) - 1002, 3));
    }

    [Fact]
    public void A_zeroed_range_reads_as_zeros_and_keeps_its_space()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        var content = Enumerable.Repeat((byte)7, 1 << 20).ToArray();
        file.Write(content, 0);
        var before = file.AllocatedBytes;
        try
        {
            file.ZeroRange(1000, (1 << 20) - 2000);
        }
        catch (StorageException e) when (e.Kind == StorageErrorKind.NotSupported)
        {
            Assert.Equal(content, ReadAll(file));
            return;
        }

        Assert.True(file.AllocatedBytes >= before, $"{before} before, {file.AllocatedBytes} after");
        content.AsSpan(1000, (1 << 20) - 2000).Clear();
        Assert.Equal(content, ReadAll(file));
        file.ZeroRange((1 << 20) - 10, 1000);
        Assert.Equal(1 << 20, file.LengthBytes);
    }

    [Fact]
    public void A_hole_beyond_the_end_does_not_extend_the_file()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Write("abc"u8, 0);
        if (!CanReserve) return;
        file.PunchHole(1, 10_000);

        Assert.Equal("a\0\0", ReadText(file, 0, 100));
    }

    [Fact]
    public void Empty_ranges_are_allowed()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Allocate(100, 0);
        file.PunchHole(100, 0);
        file.ZeroRange(100, 0);
        Assert.Equal(0, file.LengthBytes);
    }

    [Fact]
    public void The_start_of_a_write_back_changes_nothing_that_can_be_read()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Write("hello"u8, 0);
        file.StartWriteBack(1, 2);
        file.Write("J"u8, 0);
        file.StartWriteBack(0, 0);
        file.StartWriteBack(3, 10_000);
        file.Sync();
        Assert.Equal("Jello", ReadText(file, 0, 100));
    }

    [Fact]
    public void Negative_offsets_are_refused()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(new byte[1], -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Write(new byte[1], -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.SetLength(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.PunchHole(-1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Allocate(0, -1));
    }

    [Fact]
    public void Two_handles_see_one_file()
    {
        using var writer = Disk.Open(At("file"), FileOpenMode.CreateNew);
        using var reader = Disk.Open(At("file"), FileOpenMode.ReadOnly);
        writer.Write("seen"u8, 0);
        Assert.Equal("seen", ReadText(reader, 0, 4));
    }

    [Fact]
    public void A_handle_opened_for_reading_refuses_changes()
    {
        Create("file", "x");
        using var file = Disk.Open(At("file"), FileOpenMode.ReadOnly);

        Fails(StorageErrorKind.InputOutput, "pwrite", () => file.Write(new byte[1], 0));
        Fails(StorageErrorKind.InputOutput, "ftruncate", () => file.SetLength(0));
        Fails(StorageErrorKind.InputOutput, "fallocate", () => file.PunchHole(0, 1));
        Fails(StorageErrorKind.InputOutput, "fallocate", () => file.ZeroRange(0, 1));
        Assert.Equal("x", ReadText(file, 0, 9));
    }

    [Fact]
    public void A_closed_handle_refuses_everything()
    {
        var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Dispose();
        file.Dispose();

        Assert.Throws<ObjectDisposedException>(() => file.Read(new byte[1], 0));
        Assert.Throws<ObjectDisposedException>(() => file.Write(new byte[1], 0));
        Assert.Throws<ObjectDisposedException>(() => file.Sync());
        Assert.Throws<ObjectDisposedException>(() => file.LengthBytes);
    }

    [Fact]
    public void Opening_says_what_it_expects()
    {
        Fails(StorageErrorKind.NotFound, "open", () => Disk.Open(At("file"), FileOpenMode.Existing));
        Fails(StorageErrorKind.NotFound, "open", () => Disk.Open(At("file"), FileOpenMode.ReadOnly));
        Disk.Open(At("file"), FileOpenMode.OpenOrCreate).Dispose();
        Disk.Open(At("file"), FileOpenMode.OpenOrCreate).Dispose();
        Disk.Open(At("file"), FileOpenMode.Existing).Dispose();
        Fails(StorageErrorKind.AlreadyExists, "open", () => Disk.Open(At("file"), FileOpenMode.CreateNew));
    }

    [Theory]
    [InlineData(FileOpenMode.Existing)]
    [InlineData(FileOpenMode.ReadOnly)]
    [InlineData(FileOpenMode.OpenOrCreate)]
    public void A_directory_cannot_be_opened_as_a_file(FileOpenMode mode)
    {
        Disk.CreateDirectory(At("directory"));
        var error = Fails(StorageErrorKind.InputOutput, "open", () => Disk.Open(At("directory"), mode));
        Assert.Equal(Errno.IsDirectory, error.Errno);
    }

    [Fact]
    public void A_missing_parent_is_not_found()
    {
        Fails(StorageErrorKind.NotFound, "open", () => Disk.Open(At("no/file"), FileOpenMode.CreateNew));
        Fails(StorageErrorKind.NotFound, "mkdir", () => Disk.CreateDirectory(At("no/directory")));
        Fails(StorageErrorKind.NotFound, "unlink", () => Disk.Delete(At("no/file")));
        Fails(StorageErrorKind.NotFound, "opendir", () => Disk.List(At("no")));
        Fails(StorageErrorKind.NotFound, "open", () => Disk.SyncDirectory(At("no")));
        Fails(StorageErrorKind.NotFound, "statvfs", () => Disk.GetFreeSpaceBytes(At("no")));
        Assert.False(Disk.FileExists(At("no/file")));
        Assert.False(Disk.DirectoryExists(At("no/directory")));
    }

    [Fact]
    public void A_file_is_no_directory()
    {
        Create("file", "");
        Assert.Equal(Errno.NotDirectory, Fails(StorageErrorKind.InputOutput, "opendir", () => Disk.List(At("file"))).Errno);
        Assert.Equal(Errno.NotDirectory, Fails(StorageErrorKind.InputOutput, "open", () => Disk.SyncDirectory(At("file"))).Errno);
        Fails(StorageErrorKind.InputOutput, "rmdir", () => Disk.DeleteDirectory(At("file")));
        Fails(StorageErrorKind.InputOutput, "open", () => Disk.Open(At("file/below"), FileOpenMode.CreateNew));
        Assert.False(Disk.FileExists(At("file/below")));
        Assert.True(Disk.FileExists(At("file")));
        Assert.False(Disk.DirectoryExists(At("file")));
    }

    [Fact]
    public void Directories_hold_names_in_ordinal_order()
    {
        foreach (var name in new[] { "b", "B", "a", "10", "9", "ü" }) Create(name, "");
        Disk.CreateDirectory(At("c"));
        Create("c/inner", "");

        Assert.Equal(["10", "9", "B", "a", "b", "c", "ü"], Disk.List(Root));
        Assert.Equal(["inner"], Disk.List(At("c")));
        Assert.True(Disk.DirectoryExists(At("c")));
        Assert.False(Disk.FileExists(At("c")));
        Disk.SyncDirectory(At("c"));
    }

    [Fact]
    public void A_directory_is_created_once_and_deleted_when_empty()
    {
        Disk.CreateDirectory(At("d"));
        Fails(StorageErrorKind.AlreadyExists, "mkdir", () => Disk.CreateDirectory(At("d")));
        Create("d/file", "");
        Fails(StorageErrorKind.AlreadyExists, "rmdir", () => Disk.DeleteDirectory(At("d")));
        Assert.Equal(Errno.IsDirectory, Fails(StorageErrorKind.InputOutput, "unlink", () => Disk.Delete(At("d"))).Errno);
        Disk.Delete(At("d/file"));
        Disk.DeleteDirectory(At("d"));
        Assert.Empty(Disk.List(Root));
        Fails(StorageErrorKind.NotFound, "rmdir", () => Disk.DeleteDirectory(At("d")));
    }

    [Fact]
    public void A_rename_replaces_its_target()
    {
        Create("new", "new content");
        Create("current", "old");
        using var old = Disk.Open(At("current"), FileOpenMode.ReadOnly);
        Disk.Rename(At("new"), At("current"));

        Assert.Equal(["current"], Disk.List(Root));
        Assert.Equal("new content", Content("current"));
        Assert.Equal("old", ReadText(old, 0, 99));
    }

    [Fact]
    public void A_rename_moves_between_directories()
    {
        Disk.CreateDirectory(At("a"));
        Disk.CreateDirectory(At("b"));
        Create("a/x", "moved");
        Disk.Rename(At("a/x"), At("b/y"));

        Assert.Empty(Disk.List(At("a")));
        Assert.Equal("moved", Content("b/y"));
    }

    [Fact]
    public void A_rename_that_cannot_be_done_changes_nothing()
    {
        Create("file", "f");
        Disk.CreateDirectory(At("directory"));
        Create("directory/inner", "");

        var missing = Fails(StorageErrorKind.NotFound, "rename", () => Disk.Rename(At("missing"), At("file")));
        Assert.Contains(At("file"), missing.Message, StringComparison.Ordinal);
        Fails(StorageErrorKind.InputOutput, "rename", () => Disk.Rename(At("file"), At("directory")));
        Fails(StorageErrorKind.InputOutput, "rename", () => Disk.Rename(At("directory"), At("file")));
        Disk.Rename(At("file"), At("file"));
        Assert.Equal(["directory", "file"], Disk.List(Root));
        Assert.Equal("f", Content("file"));
    }

    [Fact]
    public void A_deleted_file_lives_on_for_its_handles()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Write("still here"u8, 0);
        Disk.Delete(At("file"));
        file.Write("S"u8, 0);
        file.Sync();

        Assert.False(Disk.FileExists(At("file")));
        Assert.Equal("Still here", ReadText(file, 0, 99));
        Fails(StorageErrorKind.NotFound, "unlink", () => Disk.Delete(At("file")));
    }

    [Fact]
    public void A_lock_is_taken_once_and_can_be_taken_again_after_release()
    {
        using (Disk.Lock(At("LOCK")))
        {
            var error = Assert.Throws<LockedException>(() => Disk.Lock(At("LOCK")));
            Assert.Equal(Environment.ProcessId, error.OwnerProcessId);
            Assert.Equal(At("LOCK"), error.Path);
            Assert.True(Disk.FileExists(At("LOCK")));
        }

        Assert.True(Disk.FileExists(At("LOCK")));
        var again = Disk.Lock(At("LOCK"));
        again.Dispose();
        again.Dispose();
        Disk.Lock(At("LOCK")).Dispose();
    }

    [Fact]
    public void A_lock_knows_whether_its_path_still_leads_to_it()
    {
        Disk.CreateDirectory(At("a"));
        using var held = Disk.Lock(At("a/LOCK"));
        Assert.True(held.IsInPlace);
        Disk.Rename(At("a"), At("b"));
        Assert.False(held.IsInPlace);
        Disk.CreateDirectory(At("a"));
        using (var other = Disk.Lock(At("a/LOCK"))) Assert.True(other.IsInPlace && !held.IsInPlace);
        Assert.Throws<LockedException>(() => Disk.Lock(At("b/LOCK")));

        using var shared = Disk.LockShared(At("a/LOCK"));
        Assert.True(shared.IsInPlace);
        Disk.Delete(At("a/LOCK"));
        Assert.False(shared.IsInPlace);
        using var again = Disk.Lock(At("a/LOCK"));
        Assert.True(again.IsInPlace && !shared.IsInPlace);
        again.Dispose();
        Assert.False(again.IsInPlace);
    }

    [Fact]
    public void A_lock_on_a_file_that_exists_leaves_what_is_in_it()
    {
        Fails(StorageErrorKind.NotFound, "open", () => Disk.LockExisting(At("file")));
        Assert.False(Disk.FileExists(At("file")));
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Write("mine"u8, 0);
        using (var held = Disk.LockExisting(At("file")))
        {
            Assert.True(held.IsInPlace);
            Assert.Equal(At("file"), Assert.Throws<LockedException>(() => Disk.LockExisting(At("file"))).Path);
            Assert.Throws<LockedException>(() => Disk.LockShared(At("file")));
            file.Write("M"u8, 0);
        }

        Assert.Equal("Mine", ReadText(file, 0, 99));
        using (Disk.LockShared(At("file"))) Assert.Throws<LockedException>(() => Disk.LockExisting(At("file")));
        Disk.LockExisting(At("file")).Dispose();
        Assert.Equal(Disk.GetFileIdentity(At("file")), Disk.GetFileIdentity(At("file")));
    }

    [Fact]
    public void A_shared_lock_is_held_by_many_but_not_beside_the_exclusive_one()
    {
        Fails(StorageErrorKind.NotFound, "open", () => Disk.LockShared(At("LOCK")));
        using (Disk.Lock(At("LOCK")))
            Assert.Equal(Environment.ProcessId, Assert.Throws<LockedException>(() => Disk.LockShared(At("LOCK"))).OwnerProcessId);

        var first = Disk.LockShared(At("LOCK"));
        using (Disk.LockShared(At("LOCK")))
        {
            first.Dispose();
            first.Dispose();
            Assert.Throws<LockedException>(() => Disk.Lock(At("LOCK")));
        }

        Disk.Lock(At("LOCK")).Dispose();
    }

    [Fact]
    public void Free_space_is_known() => Assert.True(Disk.GetFreeSpaceBytes(Root) > 0);

    [Fact]
    public void Relative_paths_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Disk.FileExists("file"));
        Assert.Throws<ArgumentException>(() => Disk.Open("file", FileOpenMode.OpenOrCreate));
        Assert.Throws<ArgumentException>(() => Disk.FileExists(At("file\0")));
    }

    [Fact]
    public void Concurrent_writers_of_one_file_do_not_disturb_each_other()
    {
        using var file = Disk.Open(At("file"), FileOpenMode.CreateNew);
        Parallel.For(0, 64, block => file.Write(Enumerable.Repeat((byte)block, 1000).ToArray(), block * 1000));

        Assert.Equal(64_000, file.LengthBytes);
        for (var block = 0; block < 64; block++)
            Assert.All(ReadBytes(file, block * 1000, 1000), value => Assert.Equal(block, value));
    }

    protected string At(string name) => $"{Root}/{name}";

    protected static StorageException Fails(StorageErrorKind kind, string operation, Action action)
    {
        var error = Assert.Throws<StorageException>(action);
        Assert.Equal(kind, error.Kind);
        Assert.Equal(operation, error.Operation);
        return error;
    }

    protected static byte[] ReadBytes(IFile file, long offset, int count)
    {
        var buffer = new byte[count];
        return buffer[..file.Read(buffer, offset)];
    }

    static byte[] ReadAll(IFile file)
    {
        var content = new byte[file.LengthBytes];
        file.Read(content, 0);
        return content;
    }

    protected static string ReadText(IFile file, long offset, int count) =>
        Encoding.ASCII.GetString(ReadBytes(file, offset, count));

    protected void Create(string name, string content)
    {
        using var file = Disk.Open(At(name), FileOpenMode.CreateNew);
        file.Write(Encoding.ASCII.GetBytes(content), 0);
    }

    protected string Content(string name)
    {
        using var file = Disk.Open(At(name), FileOpenMode.ReadOnly);
        return ReadText(file, 0, (int)file.LengthBytes);
    }
}
