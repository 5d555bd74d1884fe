using System.Globalization;
using System.Net;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>
/// Which portal each address is, for ever: initiators remember the number of a portal, and persistent reservations are by it. Text, so
/// that people can read it.
/// </summary>
/// <remarks>
/// <code>
/// ashlar portals
/// version 1
/// 1 127.0.0.1              number and address, in the order in which they were given
/// 2 192.0.2.7
/// crc32c 1a2b3c4d          of everything before this line
/// </code>
/// Crash order: the new file is durable; it takes the place of the old one; its name is durable; then somebody is told of the numbers. So
/// no number that anybody knows is given to another address.
/// </remarks>
static class PortalNumbers
{
    /// <summary>The largest that a portal group tag, a target port group and a port of NVMe can have.</summary>
    public const int Largest = ushort.MaxValue;

    const string Magic = "ashlar portals", VersionLine = "version 1";

    /// <summary>The numbers of addresses, in their order. Those that have none get the next ones, durably.</summary>
    /// <param name="fileSystem">The disk.</param>
    /// <param name="path">The file; it may be missing.</param>
    /// <param name="addresses">Those listened on.</param>
    /// <exception cref="CorruptDataException">The file is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">It is of a version that this program does not know.</exception>
    public static IReadOnlyList<int> Of(IFileSystem fileSystem, string path, IReadOnlyList<IPAddress> addresses)
    {
        var known = Read(fileSystem, path);
        var fresh = addresses.Where(address => !known.ContainsKey(address)).ToList();
        foreach (var address in fresh) known[address] = Next(known.Values);
        if (fresh.Count > 0) Write(fileSystem, path, known);
        return [.. addresses.Select(address => known[address])];
    }

    // One that was never given, as long as there is one.
    static int Next(ICollection<int> given)
    {
        var next = given.Count == 0 ? 1 : given.Max() + 1;
        return next <= Largest ? next : Enumerable.Range(1, Largest).First(number => !given.Contains(number));
    }

    static Dictionary<IPAddress, int> Read(IFileSystem fileSystem, string path)
    {
        var known = new Dictionary<IPAddress, int>();
        if (!fileSystem.FileExists(path)) return known;
        using var file = fileSystem.Open(path, FileOpenMode.ReadOnly);
        var text = Encoding.ASCII.GetString(file.ReadWhole());
        var lines = text.Split('\n');
        if (lines[0] != Magic || lines.Length < 2)
            throw new UnsupportedFormatException(path, "this is not a file of portals");
        if (lines[1] != VersionLine)
            throw new UnsupportedFormatException(path, $"portals are of format '{lines[1]}', this program reads '{VersionLine}'");
        if (lines is not [_, _, .. var entries, var checksum, ""] || checksum != ChecksumLine(text[..^(checksum.Length + 1)]))
            throw new CorruptDataException(path, 0, "its checksum does not match");
        foreach (var entry in entries)
        {
            if (entry.Split(' ') is not [var first, var second]
                || !int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || number is < 1 or > Largest
                || !IPAddress.TryParse(second, out var address)
                || known.ContainsValue(number)
                || !known.TryAdd(address, number))
            {
                throw new CorruptDataException(path, 0, "a line does not say which portal an address is");
            }
        }
        return known;
    }

    static void Write(IFileSystem fileSystem, string path, Dictionary<IPAddress, int> known)
    {
        var lines = known.OrderBy(each => each.Value)
            .Select(each => string.Create(CultureInfo.InvariantCulture, $"{each.Value} {each.Key}\n"));
        var body = $"{Magic}\n{VersionLine}\n{string.Concat(lines)}";
        var fresh = path + ".new";
        using (var file = fileSystem.Open(fresh, FileOpenMode.OpenOrCreate))
        {
            file.SetLength(0); // One that died may have left something.
            file.Write(Encoding.ASCII.GetBytes($"{body}{ChecksumLine(body)}\n"), 0);
            file.Sync();
        }
        fileSystem.Rename(fresh, path);
        fileSystem.SyncDirectory(path[..path.LastIndexOf('/')]);
    }

    static string ChecksumLine(string body) => $"crc32c {Crc32C.Compute(Encoding.ASCII.GetBytes(body)):x8}";
}
