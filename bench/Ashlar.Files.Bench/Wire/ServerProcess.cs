using System.Globalization;

namespace Ashlar.Files.Bench;

/// <summary>A server that runs.</summary>
/// <param name="Id">Of its process.</param>
/// <param name="ApiPort">Where its API listens, or the plain web server.</param>
/// <param name="S3Port">Where S3 listens.</param>
/// <param name="Data">Its directory.</param>
/// <param name="Copies">How many nodes it has.</param>
sealed record ServerProcess(int Id, int ApiPort, int S3Port, string Data, int Copies)
{
    static readonly EnumerationOptions Nodes = new() { RecurseSubdirectories = true, MaxRecursionDepth = 4 };

    /// <summary>The first key.</summary>
    public string Key => field ??= File.ReadAllText(Path.Combine(Data, "files", "key")).Trim();

    /// <summary>Blocks that are on its nodes.</summary>
    public int Blocks => Directory.EnumerateDirectories(Data, "blocks", Nodes).Sum(
        blocks => Directory.EnumerateFiles(blocks, "*.*.*", SearchOption.AllDirectories).Count());

    /// <summary>Seconds that processors have worked for it.</summary>
    public double CpuSeconds
    {
        get
        {
            var text = File.ReadAllText($"/proc/{Id}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
        }
    }

    /// <summary>Most memory it had at a time, in MiB.</summary>
    public int PeakMebibytes => int.Parse(
        File.ReadLines($"/proc/{Id}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(
            ' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) >> 10;

    /// <summary>Reads ID:API:S3:COPIES:DATA.</summary>
    public static ServerProcess Parse(string text)
    {
        var parts = text.Split(':', 5);
        var numbers = parts[..4].Select(part => int.Parse(part, CultureInfo.InvariantCulture)).ToArray();
        return new(numbers[0], numbers[1], numbers[2], parts[4], numbers[3]);
    }

    /// <summary>The peak is counted from now on.</summary>
    public void ForgetPeak() => File.WriteAllText($"/proc/{Id}/clear_refs", "5");
}
