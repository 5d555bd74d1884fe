using System.Globalization;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>
/// The file FORMAT at the root of a data directory: whose it is, and by which version its parts are laid out. Text, so
/// that people can read it.
/// </summary>
/// <remarks>
/// <code>
/// ashlar data directory            the first two lines are the same in every version
/// version 1
/// id 0198c2de-...                  never changes, never reused
/// created 2026-11-21T00:30:00Z
/// crc32c 1a2b3c4d                  of everything before this line
/// </code>
/// </remarks>
/// <param name="Id">Identity of the data directory.</param>
/// <param name="CreatedAt">When it was created, to the second.</param>
public sealed record FormatFile(Guid Id, DateTimeOffset CreatedAt)
{
    /// <summary>The version written, and the only one read.</summary>
    public const int Version = 1;

    const string Magic = "ashlar data directory";
    const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";
    const int MaxLengthBytes = 4096;

    /// <summary>The bytes of the file.</summary>
    public byte[] ToBytes()
    {
        var created = CreatedAt.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);
        var body = $"{Magic}\nversion {Version}\nid {Id:D}\ncreated {created}\n";
        return Encoding.ASCII.GetBytes($"{body}{ChecksumLine(body)}\n");
    }

    /// <summary>Reads the file.</summary>
    /// <exception cref="UnsupportedFormatException">Another product's file, or an unknown version.</exception>
    /// <exception cref="CorruptDataException">The file is damaged.</exception>
    public static FormatFile Read(IFile file)
    {
        var bytes = new byte[MaxLengthBytes];
        var text = Encoding.ASCII.GetString(bytes, 0, file.Read(bytes, 0));
        var lines = text.Split('\n');
        if (lines[0] != Magic)
            throw new UnsupportedFormatException(file.Path, "this is not the FORMAT file of an Ashlar data directory");
        if (lines.Length < 2 || !lines[1].StartsWith("version ", StringComparison.Ordinal))
            throw Damaged("the line with the version is missing");
        if (lines[1] != $"version {Version}")
        {
            throw new UnsupportedFormatException(
                file.Path,
                $"the data has format {lines[1]}, this program reads version {Version}; use the release that wrote it, or a newer one");
        }
        if (lines is not [_, _, _, _, var checksum, ""] || checksum != ChecksumLine(text[..^(checksum.Length + 1)]))
            throw Damaged("its checksum does not match");
        if (!Guid.TryParseExact(Value(lines[2], "id "), "D", out var id) || !TryParseTime(Value(lines[3], "created "), out var createdAt))
            throw Damaged("a line does not say what it should");
        return new(id, createdAt);

        CorruptDataException Damaged(string problem) => new(file.Path, 0, problem);
    }

    static string ChecksumLine(string body) => $"crc32c {Crc32C.Compute(Encoding.ASCII.GetBytes(body)):x8}";

    static bool TryParseTime(string? text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(text, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);

    static string? Value(string line, string name) => line.StartsWith(name, StringComparison.Ordinal) ? line[name.Length..] : null;
}
