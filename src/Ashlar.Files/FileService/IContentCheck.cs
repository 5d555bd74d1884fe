namespace Ashlar.Files;

/// <summary>Looks at content on its way into the store: hashes it, compares it with what was announced. For one upload.</summary>
public interface IContentCheck
{
    /// <summary>What comes next; every byte comes once, in order. Of one call after the other, on any thread.</summary>
    void Append(ReadOnlySpan<byte> content);

    /// <summary>After the last byte, before the content becomes visible: what this throws ends the upload, and nothing is there.</summary>
    ContentVerdict Finish();
}

/// <summary>What a look at content came to.</summary>
/// <param name="Tag">Its entity tag; null is the store's own.</param>
/// <param name="Properties">What is kept beside it, besides what the caller gave.</param>
public sealed record ContentVerdict(string? Tag, FileProperties Properties);
