namespace Ashlar.Files;

/// <summary>The intent is not this upload's any more: its lease has ended, or somebody else has opened it.</summary>
public sealed class IntentLostException(IntentToken intent, string why) : FileStoreException(
    $"upload {intent.Id:x16} of customer {intent.Customer}: {why}")
{
    /// <summary>What was shown.</summary>
    public IntentToken Intent { get; } = intent;

    /// <summary>Why it is not.</summary>
    public string Reason { get; } = why;
}

/// <summary>The number of an upload is taken; another is drawn.</summary>
public sealed class UploadIdInUseException(CustomerId customer, ulong id) : FileStoreException(
    $"upload {id:x16} of customer {customer}: the number is taken")
{
    /// <summary>The customer.</summary>
    public CustomerId Customer { get; } = customer;

    /// <summary>The number.</summary>
    public ulong Id { get; } = id;
}

/// <summary>A part that a file is to be made of is not there, has another tag, or comes in another place.</summary>
public sealed class InvalidPartException(IntentToken intent, int number, string problem) : FileStoreException(
    $"part {number} of upload {intent.Id:x16} of customer {intent.Customer}: {problem}")
{
    /// <summary>The upload.</summary>
    public IntentToken Intent { get; } = intent;

    /// <summary>The part.</summary>
    public int Number { get; } = number;

    /// <summary>What is wrong with it.</summary>
    public string Problem { get; } = problem;
}

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

    /// <summary>Copies that it has.</summary>
    public int Copies { get; } = copies;

    /// <summary>Copies that it must have.</summary>
    public int Required { get; } = required;
}

/// <summary>The content of a file is not as long as it was said to be. Nothing became visible.</summary>
public sealed class ContentLengthException(FilePath path, long expectedBytes, long receivedBytes) : FileStoreException(
    $"{path}: {expectedBytes} bytes were announced, and {(receivedBytes > expectedBytes ? "more" : $"{receivedBytes}")} came")
{
    /// <summary>The file that was to be.</summary>
    public FilePath Path { get; } = path;

    /// <summary>Bytes that were announced.</summary>
    public long ExpectedBytes { get; } = expectedBytes;

    /// <summary>Bytes that came, as far as they were read.</summary>
    public long ReceivedBytes { get; } = receivedBytes;
}
