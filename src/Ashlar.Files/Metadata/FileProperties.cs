using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Ashlar.Files;

/// <summary>
/// Names and values that are kept with a file or a directory beside its content: types, tags, checksums of clients. In the ordinal order of
/// names, which are 1 to 255 bytes; all together at most 16 KiB, in UTF-8.
/// </summary>
[SuppressMessage("Naming", "CA1710", Justification = "The properties of a file are called its properties.")]
public sealed class FileProperties : IReadOnlyDictionary<string, string>, IEquatable<FileProperties>
{
    /// <summary>Most bytes of all names and values together.</summary>
    public const int MaxBytes = 16 << 10;

    /// <summary>Longest name.</summary>
    public const int MaxNameBytes = 255;

    /// <summary>
    /// The name of the SHA-256 of the content, in hexadecimal, where it is known and is not the entity tag. Who computed it writes it: no
    /// caller does, and it stays as long as the content.
    /// </summary>
    public const string Sha256 = "sha256";

    static readonly UTF8Encoding Strict = new(false, true);

    readonly SortedList<string, string> values;

    FileProperties(SortedList<string, string> values) => this.values = values;

    /// <summary>None.</summary>
    public static FileProperties Empty { get; } = new(new(StringComparer.Ordinal));

    /// <inheritdoc />
    public int Count => values.Count;

    /// <inheritdoc />
    public IEnumerable<string> Keys => values.Keys;

    /// <inheritdoc />
    public IEnumerable<string> Values => values.Values;

    /// <inheritdoc />
    public string this[string key] => values[key];

    /// <summary>The properties of some pairs.</summary>
    /// <exception cref="InvalidPropertiesException">A name is empty, too long or there twice, or all are too long, or no UTF-8.</exception>
    public static FileProperties Of(IEnumerable<KeyValuePair<string, string>> pairs)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        var values = new SortedList<string, string>(StringComparer.Ordinal);
        var total = 0L;
        foreach (var (name, value) in pairs)
        {
            var nameBytes = CountBytes(name);
            if (nameBytes is 0 or > MaxNameBytes)
                throw new InvalidPropertiesException($"a name has {nameBytes} bytes, and 1 to {MaxNameBytes} are possible");
            total += nameBytes + CountBytes(value);
            if (total > MaxBytes) throw new InvalidPropertiesException($"names and values have more than {MaxBytes} bytes");
            if (!values.TryAdd(name, value)) throw new InvalidPropertiesException($"the name {name} is there twice");
        }

        return values.Count == 0 ? Empty : new(values);
    }

    /// <summary>These, with others beside or instead of them.</summary>
    /// <param name="changes">Values by their names; null removes one.</param>
    /// <inheritdoc cref="Of" path="/exception"/>
    public FileProperties With(IEnumerable<KeyValuePair<string, string?>> changes)
    {
        ArgumentNullException.ThrowIfNull(changes);
        var changed = new Dictionary<string, string>(values, StringComparer.Ordinal);
        foreach (var (name, value) in changes)
        {
            if (value is null) changed.Remove(name);
            else changed[name] = value;
        }

        return Of(changed);
    }

    /// <inheritdoc />
    public bool ContainsKey(string key) => values.ContainsKey(key);

    /// <inheritdoc />
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value) => values.TryGetValue(key, out value);

    /// <inheritdoc />
    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc />
    public bool Equals(FileProperties? other) => other is not null && values.SequenceEqual(other.values);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as FileProperties);

    /// <inheritdoc />
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var (name, value) in values)
        {
            hash.Add(name, StringComparer.Ordinal);
            hash.Add(value, StringComparer.Ordinal);
        }

        return hash.ToHashCode();
    }

    /// <summary>For people.</summary>
    public override string ToString() => string.Join(", ", values.Select(pair => $"{pair.Key}={pair.Value}"));

    /// <summary>These, as a caller gives them, beside content of which something is known.</summary>
    /// <param name="known">What is known of the content: it stays.</param>
    /// <exception cref="InvalidPropertiesException">They say something else of the content, which only who has seen it can say.</exception>
    internal FileProperties Beside(FileProperties known)
    {
        var hash = known.GetValueOrDefault(Sha256);
        if (TryGetValue(Sha256, out var said) && said != hash)
            throw new InvalidPropertiesException($"{Sha256} is computed from the content");
        return hash is null || said is not null ? this : With([new(Sha256, hash)]);
    }

    static int CountBytes(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        // Before it is looked at by its length.
        if (text.Length > MaxBytes)
            throw new InvalidPropertiesException($"a text has {text.Length} characters, and {MaxBytes} bytes are the most");
        try
        {
            return Strict.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            throw new InvalidPropertiesException("a text has half a surrogate pair, which UTF-8 cannot express");
        }
    }
}

/// <summary>What becomes of properties.</summary>
/// <param name="ReplaceAll">Whether those that are there go.</param>
/// <param name="Values">Values by their names; null removes one.</param>
/// <param name="IsUpdate">Whether the entry counts as updated now.</param>
public sealed record PropertyChanges(bool ReplaceAll, IReadOnlyDictionary<string, string?> Values, bool IsUpdate)
{
    /// <summary>A note that changes in the same transaction, or has to be as it is; null for none.</summary>
    public NoteChange? Note { get; init; }

    internal FileProperties ApplyTo(FileProperties present) =>
        (ReplaceAll ? FileProperties.Empty : present).With(Values).Beside(present);
}
