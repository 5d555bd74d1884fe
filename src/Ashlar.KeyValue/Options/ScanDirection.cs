namespace Ashlar.KeyValue;

/// <summary>Order of a scan.</summary>
public enum ScanDirection
{
    /// <summary>Ascending keys.</summary>
    Forward = 0,

    /// <summary>Descending keys.</summary>
    Backward,
}
