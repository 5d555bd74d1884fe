using System.Diagnostics;
using System.Security.Cryptography;
using Ashlar.Storage;

namespace Ashlar.Files.Bench;

/// <summary>The least that storing content costs: its hash, and a durable write of it.</summary>
static class Floors
{
    const int PieceBytes = 256 << 10;

    /// <summary>MiB that one processor hashes in a second.</summary>
    public static double Hash(HashAlgorithmName algorithm, long bytes)
    {
        using var hash = IncrementalHash.CreateHash(algorithm);
        var piece = new byte[PieceBytes];
        return Rate(bytes, () =>
        {
            for (var done = 0L; done < bytes; done += PieceBytes) hash.AppendData(piece);
            hash.GetHashAndReset();
        });
    }

    /// <summary>MiB that a file of a directory takes in a second, durable at the end.</summary>
    public static double Write(string directory, long bytes)
    {
        var path = Path.Combine(directory, "raw");
        var piece = new byte[PieceBytes];
        new Random(1).NextBytes(piece);
        var rate = Rate(bytes, () =>
        {
            using var file = FileSystems.Real.Open(path, FileOpenMode.OpenOrCreate);
            file.SetLength(0);
            for (var done = 0L; done < bytes; done += PieceBytes)
            {
                file.Write(piece, done);
                if (done % (4 << 20) == 0 && done > 0) file.StartWriteBack(done - (4 << 20), 4 << 20);
            }

            file.Sync();
        });
        FileSystems.Real.Delete(path);
        return rate;
    }

    public static double Median(IEnumerable<double> values) => values.Order().ToArray() is var sorted ? sorted[sorted.Length / 2] : 0;

    static double Rate(long bytes, Action work)
    {
        var begun = Stopwatch.GetTimestamp();
        work();
        return bytes / (double)(1 << 20) / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }
}
