using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Images;

/// <summary>An ext4 file system in a sparse file, made of the files of this very machine: data nobody invented for a test.</summary>
sealed class FileSystemImage
{
    /// <summary>Small enough for every day; the deep tier takes one that the page cache of a small machine does not hold.</summary>
    public static readonly long SizeBytes = TestTier.Choose(128L << 20, 2L << 30);

    static readonly long ContentBytes = TestTier.Choose(48L << 20, 560L << 20);
    const int BatchSize = 500;

    FileSystemImage(string path) => FilePath = path;

    public string FilePath { get; }

    public static FileSystemImage Make(TemporaryDirectory directory)
    {
        var content = directory["content"];
        Directory.CreateDirectory(content);
        var gathered = GatherFiles("/usr", content);
        if (gathered < ContentBytes) FillUp(Path.Combine(content, "random-bytes"), ContentBytes - gathered);

        var image = directory["image.raw"];
        using (var file = File.Create(image)) file.SetLength(SizeBytes);
        ExternalTool.Run("mkfs.ext4", "-q", "-F", "-m", "0", "-d", content, image).MustSucceed();
        Directory.Delete(content, recursive: true);
        return new(image);
    }

    /// <summary>Smallest unit of <paramref name="unitSizeBytes"/> that hold a byte other than zero, in bytes.</summary>
    public static long CountUsedBytes(string path, int unitSizeBytes)
    {
        using var file = File.OpenHandle(path);
        var unit = new byte[unitSizeBytes];
        var used = 0L;
        for (var offset = 0L; offset < RandomAccess.GetLength(file); offset += unitSizeBytes)
        {
            var length = RandomAccess.Read(file, unit, offset);
            if (unit.AsSpan(0, length).ContainsAnyExcept((byte)0)) used += unitSizeBytes;
        }
        return used;
    }

    /// <summary>Copies files, hidden and linked ones left out, until there is enough.</summary>
    static long GatherFiles(string source, string target)
    {
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            IgnoreInaccessible = true,
            AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Device,
        };
        var total = 0L;
        foreach (var batch in new DirectoryInfo(source).EnumerateFiles("*", options).Where(file => file.Length > 0).Chunk(BatchSize))
        {
            var chosen = batch.TakeWhile(file => (total += file.Length) < ContentBytes).Select(file => file.FullName).ToArray();
            if (chosen.Length > 0)
                ExternalTool.Run("cp", ["--parents", "--reflink=auto", "--target-directory", target, .. chosen]).MustSucceed();
            if (total >= ContentBytes) break;
        }
        return total;
    }

    static void FillUp(string path, long lengthBytes)
    {
        var random = new SeededRandom(1);
        var chunk = new byte[1 << 20];
        using var file = File.Create(path);
        for (var left = lengthBytes; left > 0; left -= chunk.Length)
        {
            random.Fill(chunk);
            file.Write(chunk);
        }
    }
}
