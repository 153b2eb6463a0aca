use std::collections::HashMap;
use std::sync::Arc;

/// Texts, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    all: Arc<Inner>,
}

#[derive(Clone, Debug, Default)]
struct Inner {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Texts {
    pub(super) fn get(&self, number: u32) -> &str {
        let text = self.all.texts.get(number as usize);
        text.map_or("", |text| text)
    }

    pub(super) fn len(&self) -> usize {
        self.all.texts.len()
    }

    pub(super) fn has(&self, text: &str) -> bool {
        self.all.numbers.contains_key(text)
    }

    pub(super) fn add(&mut self, text: &str) -> u32 {
        if let Some(number) = self.all.numbers.get(text) {
            return *number;
        }
        let all = Arc::make_mut(&mut self.all);
        let number = u32::try_from(all.texts.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        all.texts.push(Arc::clone(&text));
        all.numbers.insert(text, number);
        number
    }
}
