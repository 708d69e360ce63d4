package io.github.gtr4j.binding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class NativeObjectTest {
  private static class Thing extends NativeObject {
    int freed;

    Thing(NativeObject parent) {
      super(parent);
    }

    @Override
    protected String label() {
      return "thing";
    }

    @Override
    protected void free() {
      freed++;
    }
  }

  /** A thing that is closed together with a part that is not its child. */
  private static final class Whole extends Thing {
    private final Thing part;

    Whole(Thing part) {
      super(null);
      this.part = part;
    }

    @Override
    public void close() {
      requireUnused(part);
      super.close();
    }
  }

  private static String refusal(NativeObject object) {
    return assertThrows(IllegalStateException.class, object::close).getMessage();
  }

  @Test
  void closeSaysWhatIsInItsWay() {
    Thing parent = new Thing(null);
    Thing child = new Thing(parent);
    assertEquals(
        "cannot close thing: still open of it: 1 streams, buffers or weights", refusal(parent));
    child.acquire("linear_forward");
    assertEquals("cannot close thing: in use by linear_forward", refusal(child));
    child.enqueued();
    assertEquals(
        "cannot close thing: in use by linear_forward, which is enqueued;"
            + " synchronize its stream first",
        refusal(child));
    child.passed();
    child.close();
    child.close();
    parent.close();
    assertEquals(1, child.freed);
    assertEquals(1, parent.freed);
  }

  @Test
  void anObstacleThatGoesAwayMeanwhileIsStillNamed() throws Exception {
    Thing part = new Thing(null);
    Whole whole = new Whole(part);
    part.acquire("attention_forward");
    part.release();
    AtomicBoolean enough = new AtomicBoolean();
    Thread user =
        new Thread(
            () -> {
              while (!enough.get()) {
                part.acquire("attention_forward");
                part.release();
              }
            });
    user.start();
    try {
      // The short uses end between the look that finds them and the one that names them.
      for (int attempt = 0; attempt < 1_000_000; attempt++) {
        try {
          whole.requireUnused(part);
        } catch (IllegalStateException e) {
          assertTrue(e.getMessage().endsWith(": in use by attention_forward"), e.getMessage());
        }
      }
    } finally {
      enough.set(true);
      user.join();
    }
    whole.close();
  }
}
