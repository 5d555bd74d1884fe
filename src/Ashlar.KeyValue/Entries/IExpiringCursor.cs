namespace Ashlar.KeyValue.Entries;

/// <summary>A cursor that tells when what it is on expires.</summary>
interface IExpiringCursor : IKeyValueCursor
{
    /// <summary>When the current entry expires, in milliseconds since 1970; 0: never.</summary>
    long ExpiresAt { get; }
}
