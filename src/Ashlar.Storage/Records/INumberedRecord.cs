namespace Ashlar.Storage;

/// <summary>
/// What a <see cref="RecordDirectory{TRecord}"/> has of each thing in it: a file of its own, which makes the thing exist.
/// </summary>
/// <typeparam name="TSelf">The record itself.</typeparam>
public interface INumberedRecord<TSelf>
    where TSelf : INumberedRecord<TSelf>
{
    /// <summary>How the names of the files begin; the number follows.</summary>
    static abstract string NamePrefix { get; }

    /// <summary>Where the number lies in the file.</summary>
    static abstract int NumberOffset { get; }

    /// <summary>Its number, counted from 1.</summary>
    ulong Number { get; }

    /// <summary>The content of its file.</summary>
    byte[] Encode();

    /// <summary>Reads the content of its file.</summary>
    /// <exception cref="CorruptDataException">It is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">It is none, or of a version that this program cannot read.</exception>
    static abstract TSelf Decode(ReadOnlySpan<byte> bytes, string path);
}
