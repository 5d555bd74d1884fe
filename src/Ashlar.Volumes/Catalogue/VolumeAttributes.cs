using System.Collections.Immutable;
using System.Text;

namespace Ashlar.Volumes;

/// <summary>
/// What people say of a volume: a description, labels, and how long it stays in the trash. Nothing of it changes what clients see.
/// </summary>
public sealed record VolumeAttributes
{
    /// <summary>Longest description, in bytes of UTF-8.</summary>
    public const int MaxDescriptionBytes = 1024;

    /// <summary>Most labels of a volume.</summary>
    public const int MaxLabels = 32;

    /// <summary>Longest key of a label.</summary>
    public const int MaxKeyLength = 63;

    /// <summary>Longest value of a label, in bytes of UTF-8.</summary>
    public const int MaxValueBytes = 255;

    /// <summary>Longest that a deleted volume may stay in the trash.</summary>
    public static readonly TimeSpan MaxTrashRetention = TimeSpan.FromDays(3650);

    /// <summary>Nothing said.</summary>
    public static VolumeAttributes None { get; } = new();

    /// <summary>For people; empty where there is none.</summary>
    public string Description { get; init; } = "";

    /// <summary>Keys and values, by key.</summary>
    public ImmutableSortedDictionary<string, string> Labels { get; init; } =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>How long it stays in the trash when it is deleted: zero for not at all, null for as long as the pool says.</summary>
    public TimeSpan? TrashRetention { get; init; }

    /// <summary>Whether nothing is said.</summary>
    public bool IsNone => Description.Length == 0 && Labels.IsEmpty && TrashRetention is null;

    /// <summary>Whether both say the same.</summary>
    public bool Equals(VolumeAttributes? other) =>
        other is not null
        && Description == other.Description
        && TrashRetention == other.TrashRetention
        && Labels.SequenceEqual(other.Labels);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Description, TrashRetention, Labels.Count);

    /// <summary>Fails unless all of it is possible.</summary>
    /// <exception cref="ArgumentException">It is not; the message names what.</exception>
    public void Check()
    {
        if (FindProblem() is { } problem) throw new ArgumentException(problem);
    }

    /// <summary>Fails unless a volume can stay in the trash for so long.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public static void CheckTrashRetention(TimeSpan retention)
    {
        if (retention < TimeSpan.Zero || retention > MaxTrashRetention)
            throw new ArgumentException(
                $"{retention.TotalSeconds} s in the trash are not possible: 0 to {MaxTrashRetention.TotalDays} days");
    }

    /// <summary>What is not possible; null where all of it is.</summary>
    internal string? FindProblem()
    {
        if (TrashRetention is { } retention && (retention < TimeSpan.Zero || retention > MaxTrashRetention))
            return $"{retention.TotalSeconds} s in the trash are not possible: 0 to {MaxTrashRetention.TotalDays} days";
        if (Encoding.UTF8.GetByteCount(Description) > MaxDescriptionBytes)
            return $"a description has at most {MaxDescriptionBytes} bytes of UTF-8";
        if (Description.Any(char.IsControl)) return "a description has no control characters, and so is one line";
        if (Labels.Count > MaxLabels) return $"a volume has at most {MaxLabels} labels, not {Labels.Count}";
        return Labels.Select(label => FindProblem(label.Key, label.Value)).FirstOrDefault(problem => problem is not null);
    }

    static string? FindProblem(string key, string value)
    {
        if (key.Length is 0 or > MaxKeyLength || !char.IsAsciiLetterOrDigit(key[0]) || !key.All(IsOfKey))
        {
            return $"'{key}' is not the key of a label: 1 to {MaxKeyLength} of a-z, A-Z, 0-9, '.', '_', '-' and '/', beginning with a "
                + "letter "
                + "or digit";
        }
        if (Encoding.UTF8.GetByteCount(value) > MaxValueBytes) return $"the value of label '{key}' has more than {MaxValueBytes} bytes";
        return value.Any(char.IsControl) ? $"the value of label '{key}' has a control character" : null;
    }

    static bool IsOfKey(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-' or '/';
}
