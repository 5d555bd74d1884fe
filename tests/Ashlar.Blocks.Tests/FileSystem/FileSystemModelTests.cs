using Ashlar.Blocks.FileSystem;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.FileSystem;

/// <summary>
/// Random calls have the results that they have on a simulated disk, however small the memory is, and whatever fails below.
/// </summary>
public sealed class FileSystemModelTests
{
    static readonly string[] Names = ["/x", "/y", "/d/x", "/d/y", "/d", "/e", "/e/z"];

    [Fact]
    public void It_does_what_a_simulated_disk_does()
    {
        foreach (var seed in TestSeeds.Several(nameof(FileSystemModelTests), TestTier.Choose(20, 400)))
        {
            var random = SeededRandom.For(seed, "file system model");
            var device = TestDisk.Format(2 << 20);
            var (disk, model) = (TestDisk.Open(device), new SimulatedFileSystem(isRecording: false));
            for (var step = 0; step < 300; step++)
            {
                Action<IFileSystem> action = Choose(random);
                var (one, other) = (Run(disk, action), Run(model, action));
                Assert.True(one == other, $"seed {seed}, step {step}: {one}, on a simulated disk {other}");
                if (!random.OneIn(50)) continue;
                disk.Dispose();
                disk = TestDisk.Open(device);
                Assert.True(disk.Verify().IsSound);
            }

            Compare(disk, model, "/", seed);
        }
    }

    /// <summary>What the device refuses is a typed error, and what it does not give is not made up.</summary>
    [Fact]
    public void What_fails_below_is_told_and_nothing_is_lost_by_it()
    {
        foreach (var seed in TestSeeds.Several(nameof(FileSystemModelTests), TestTier.Choose(40, 400)))
        {
            var random = SeededRandom.For(seed, "failing device");
            var below = TestDisk.Format();
            var device = new CountingDevice(below);
            var disk = TestDisk.Open(device);
            var content = random.Bytes(40_000);
            BlockFileSystemTests.Write(disk, "/kept", content, isSynced: true);
            for (var step = 0; step < 40; step++)
            {
                var broken = new DeviceIOException("it", "broken", isTransient: false);
                var full = new DeviceFullException("it", "nothing left");
                device.WriteFailure = random.OneIn(6) ? random.OneIn(2) ? broken : full : null;
                device.ReadFailure = random.OneIn(6) ? broken : null;
                device.Failure = random.OneIn(60) ? broken : null;
                try
                {
                    using var file = disk.Open("/other", FileOpenMode.OpenOrCreate);
                    file.Write(random.Bytes(random.Next(1, 30_000)), random.Next(30_000));
                    if (random.OneIn(2)) file.Sync();
                    if (random.OneIn(3)) disk.SyncDirectory("/");
                    if (random.OneIn(4)) disk.Delete("/other");
                    if (random.OneIn(3)) Assert.Equal(content, BlockFileSystemTests.Read(disk, "/kept"));
                }
                catch (StorageException e)
                {
                    Assert.True(e.Kind is StorageErrorKind.InputOutput or StorageErrorKind.NoSpace, e.Message);
                }
            }

            device.WriteFailure = device.ReadFailure = device.Failure = null;
            var again = TestDisk.Open(below);
            Assert.Equal(content, BlockFileSystemTests.Read(again, "/kept"));
            Assert.True(again.Verify().IsSound, $"seed {seed}");
        }
    }

    static string Run(IFileSystem disk, Action<IFileSystem> action)
    {
        try
        {
            action(disk);
            return "done";
        }
        catch (StorageException e)
        {
            return $"{e.Operation} {e.Errno}";
        }
    }

    static Action<IFileSystem> Choose(SeededRandom random)
    {
        var (path, other) = (random.Pick(Names), random.Pick(Names));
        var (offset, length) = (random.Next(40_000), random.Next(20_000));
        var bytes = random.Bytes(length);
        return random.Next(14) switch
        {
            0 => disk => disk.CreateDirectory(path),
            1 => disk => disk.DeleteDirectory(path),
            2 => disk => disk.Delete(path),
            // A directory into itself is more than the simulated disk refuses.
            3 => disk => disk.Rename(path, other.StartsWith(path + "/", StringComparison.Ordinal) ? path : other),
            4 => disk => disk.SyncDirectory(path),
            5 => With(file => file.SetLength(offset)),
            6 => With(file => file.PunchHole(offset, length)),
            7 => With(file => file.Allocate(offset, length)),
            8 => With(file => file.ZeroRange(offset, length)),
            9 => With(file => file.Sync()),
            10 => With(file => file.DropCached(offset, length)),
            _ => With(file => file.Write(bytes, offset)),
        };

        Action<IFileSystem> With(Action<IFile> action) => disk =>
        {
            using var file = disk.Open(path, FileOpenMode.OpenOrCreate);
            action(file);
        };
    }

    static void Compare(IFileSystem disk, IFileSystem model, string directory, ulong seed)
    {
        Assert.Equal(model.List(directory), disk.List(directory));
        foreach (var name in model.List(directory))
        {
            var path = directory == "/" ? $"/{name}" : $"{directory}/{name}";
            if (model.DirectoryExists(path))
            {
                Compare(disk, model, path, seed);
                continue;
            }

            var (found, expected) = (BlockFileSystemTests.Read(disk, path), BlockFileSystemTests.Read(model, path));
            Assert.True(found.AsSpan().SequenceEqual(expected), $"seed {seed}: {path}");
        }
    }
}
