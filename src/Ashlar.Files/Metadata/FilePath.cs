using System.Text;

namespace Ashlar.Files;

/// <summary>
/// A path that files and directories can have: absolute, without empty components, <c>.</c> and <c>..</c>, in UTF-8 and Unicode's normal
/// form C. Names are bytes: what differs in a byte is another name, and sorts by it.
/// </summary>
public sealed class FilePath : IEquatable<FilePath>, IComparable<FilePath>
{
    /// <summary>Longest path, with the slash that it begins with.</summary>
    public const int MaxBytes = 1024;

    /// <summary>Longest component.</summary>
    public const int MaxComponentBytes = 255;

    const byte Slash = (byte)'/';
    static readonly UTF8Encoding Strict = new(false, true);

    readonly byte[] bytes;

    FilePath(byte[] bytes) => this.bytes = bytes;

    /// <summary>The root.</summary>
    public static FilePath Root { get; } = new([]);

    /// <summary>The bytes, without the slash of the root: as the store's keys have them.</summary>
    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <summary>Whether it is the root.</summary>
    public bool IsRoot => bytes.Length == 0;

    /// <summary>The path of the directory that it is in; the root is its own.</summary>
    public FilePath Parent => bytes.AsSpan().LastIndexOf(Slash) is var slash and >= 0 ? new(bytes[..slash]) : Root;

    /// <summary>The last component; empty for the root.</summary>
    public string Name => Encoding.UTF8.GetString(bytes.AsSpan(bytes.AsSpan().LastIndexOf(Slash) + 1));

    /// <summary>The first component, as a path: the directory of the root that it is in, or is. The root for the root.</summary>
    public FilePath Bucket => bytes.AsSpan().IndexOf(Slash) is var slash and >= 0 ? new(bytes[..slash]) : this;

    /// <summary>What the keys of everything below begin with.</summary>
    public ReadOnlyMemory<byte> ChildPrefix => IsRoot ? default : (byte[])[.. bytes, Slash];

    /// <summary>Reads a path.</summary>
    /// <exception cref="InvalidPathException">It is none; the message says why.</exception>
    public static FilePath Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        // Before memory is taken by its length.
        if (text.Length > MaxBytes) throw TooLong(text.Length, "characters");
        try
        {
            return Parse(Strict.GetBytes(text));
        }
        catch (EncoderFallbackException)
        {
            throw new InvalidPathException("it has half a surrogate pair, which UTF-8 cannot express");
        }
    }

    /// <summary>Reads a path.</summary>
    /// <exception cref="InvalidPathException">It is none; the message says why.</exception>
    public static FilePath Parse(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty || utf8[0] != Slash) throw new InvalidPathException("it does not begin with a slash");
        if (utf8.Length > MaxBytes) throw TooLong(utf8.Length, "bytes");
        if (utf8.Length == 1) return Root;
        foreach (var range in utf8[1..].Split(Slash)) CheckComponent(utf8[1..][range]);
        if (!System.Text.Unicode.Utf8.IsValid(utf8)) throw new InvalidPathException("it is not UTF-8");
        if (!Ascii.IsValid(utf8)) CheckForm(Encoding.UTF8.GetString(utf8));
        return new(utf8[1..].ToArray());
    }

    /// <summary>A path of bytes that were one when they were stored.</summary>
    internal static FilePath OfStored(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? Root : new(bytes.ToArray());

    /// <inheritdoc />
    public bool Equals(FilePath? other) => other is not null && bytes.AsSpan().SequenceEqual(other.bytes);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as FilePath);

    /// <inheritdoc />
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(bytes);
        return hash.ToHashCode();
    }

    /// <summary>Compares the bytes.</summary>
    public int CompareTo(FilePath? other) => other is null ? 1 : bytes.AsSpan().SequenceCompareTo(other.bytes);

    /// <summary>The path, as it is written.</summary>
    public override string ToString() => "/" + Encoding.UTF8.GetString(bytes);

    /// <summary>Whether both are the same.</summary>
    public static bool operator ==(FilePath? left, FilePath? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Whether they differ.</summary>
    public static bool operator !=(FilePath? left, FilePath? right) => !(left == right);

    /// <summary>Whether one sorts before the other.</summary>
    public static bool operator <(FilePath left, FilePath right) => left.CompareTo(right) < 0;

    /// <summary>Whether one sorts before the other or is it.</summary>
    public static bool operator <=(FilePath left, FilePath right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one sorts after the other.</summary>
    public static bool operator >(FilePath left, FilePath right) => left.CompareTo(right) > 0;

    /// <summary>Whether one sorts after the other or is it.</summary>
    public static bool operator >=(FilePath left, FilePath right) => left.CompareTo(right) >= 0;

    static void CheckComponent(ReadOnlySpan<byte> component)
    {
        if (component.IsEmpty) throw new InvalidPathException("a component is empty");
        if (component.SequenceEqual("."u8) || component.SequenceEqual(".."u8))
            throw new InvalidPathException("a component is . or ..");
        if (component.Length > MaxComponentBytes)
            throw new InvalidPathException($"a component has {component.Length} bytes, and {MaxComponentBytes} are the most");
        if (component.Contains((byte)0)) throw new InvalidPathException("it has a NUL");
    }

    // Two names that look the same would be two files, and which one a program writes depends on the system that it runs on.
    static void CheckForm(string path)
    {
        foreach (var component in path.Split('/'))
        {
            if (NormalForm.Has(component)) continue;
            var bytes = Convert.ToHexStringLower(Encoding.UTF8.GetBytes(NormalForm.Of(component)));
            throw new InvalidPathException($"a component is not in Unicode's normal form C, in which it would have the bytes {bytes}")
            {
                IsOtherForm = true,
            };
        }
    }

    static InvalidPathException TooLong(int length, string unit) => new($"it has {length} {unit}, and {MaxBytes} bytes are the most");
}
