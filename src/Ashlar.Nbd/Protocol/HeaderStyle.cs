namespace Ashlar.Nbd.Protocol;

/// <summary>Which headers requests and replies have.</summary>
enum HeaderStyle
{
    /// <summary>Every reply is a simple one.</summary>
    Simple = 0,

    /// <summary>Replies may have chunks.</summary>
    Structured,

    /// <summary>Requests have lengths of 64 bits, and all replies have chunks.</summary>
    Extended,
}
