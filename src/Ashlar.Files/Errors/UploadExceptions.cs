namespace Ashlar.Files;

/// <summary>The intent is not this upload's any more: its lease has ended, or somebody else has opened it.</summary>
public sealed class IntentLostException(IntentToken intent, string why) : FileStoreException(
    $"upload {intent.Id:x16} of customer {intent.Customer}: {why}")
{
    /// <summary>What was shown.</summary>
    public IntentToken Intent { get; } = intent;
}

/// <summary>The number of an upload is taken; another is drawn.</summary>
public sealed class UploadIdInUseException(CustomerId customer, ulong id) : FileStoreException(
    $"upload {id:x16} of customer {customer}: the number is taken");

/// <summary>A commit refers to a block that its intent does not pin.</summary>
public sealed class BlockNotPinnedException(BlockName block) : FileStoreException($"block {block}: not pinned by the upload")
{
    /// <summary>The block.</summary>
    public BlockName Block { get; } = block;
}

/// <summary>A block has fewer durable copies than a commit requires.</summary>
public sealed class TooFewCopiesException(BlockName block, int copies, int required) : FileStoreException(
    $"block {block}: {copies} durable copies, and {required} are required")
{
    /// <summary>The block.</summary>
    public BlockName Block { get; } = block;
}

/// <summary>The content of a file is not as long as it was said to be. Nothing became visible.</summary>
public sealed class ContentLengthException(FilePath path, long expectedBytes, long receivedBytes) : FileStoreException(
    $"{path}: {expectedBytes} bytes were announced, and {(receivedBytes > expectedBytes ? "more" : $"{receivedBytes}")} came")
{
    /// <summary>The file that was to be.</summary>
    public FilePath Path { get; } = path;
}
